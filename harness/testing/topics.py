"""A small world in which learning can be seen: documents on topics, a teacher that knows them, one that knows nothing.

`learnt(distiller, lesson(student, TopicTeacher(), folder))` is near 1, and far lower where the teacher is permuted.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from harness.contracts import Context, Corpus, Distiller, Lesson, Role
from harness.data.corpus import build_corpus
from harness.records import Budget, Document, Example, Query, Run

TOPICS = ("lemon", "engine", "violin", "glacier", "parliament", "spider", "marathon", "volcano")
FORMS = ("about", "notes on", "a short text of", "history of", "why we like", "the best")
QUESTIONS = 6


class Shuffled:
    """Ranks all documents in an order that depends on nothing but the query's length: negatives of every topic."""

    def index(self, corpus: Corpus) -> None:
        """Note how many there are."""
        self._size = len(corpus)

    def search(self, queries: Sequence[Query], k: int) -> Run:
        """Any `k` documents."""
        orders = [np.random.default_rng(len(query.text)).permutation(self._size)[:k] for query in queries]
        rows = np.array(orders, np.int32)
        scores = np.tile(-np.arange(rows.shape[1], dtype=np.float32), (len(queries), 1))
        return Run(query_ids=tuple(query.id for query in queries), rows=rows, scores=scores)

    def save(self, folder: Path) -> None:
        """Nothing is kept."""

    def load(self, folder: Path, corpus: Corpus) -> None:
        """As `index`."""
        self.index(corpus)


class TopicTeacher:
    """Gives every signal but text: a document on the query's topic is `gap` better than another."""

    def __init__(self, gap: float = 4.0, permuted: bool = False) -> None:
        """Permuted, it gives each pair the opinion that belongs to another: who learns from it learns no topics."""
        self.gap, self.permuted = gap, permuted
        self.identity = f"topics-{gap}-{permuted}"

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        """`gap` for the topic, 0 for others."""
        scores = [self.gap * (_topic(query.text) == self._seen(query, document)) for query, document in pairs]
        return np.array(scores, np.float32)

    def embed(self, texts: Sequence[str], role: Role) -> Float32[np.ndarray, "texts dim"]:
        """A unit vector a topic, times the root of `gap`."""
        topics = [self._moved(_topic(text), text) if role == "document" else _topic(text) for text in texts]
        found = np.zeros((len(texts), len(TOPICS)), np.float32)
        found[np.arange(len(texts)), [TOPICS.index(topic) for topic in topics]] = self.gap**0.5
        return found

    def prefer(self, triples: Sequence[tuple[Query, Document, Document]]) -> Float32[np.ndarray, " triples"]:
        """Bradley-Terry over the scores."""
        first = self.score([(query, a) for query, a, _ in triples])
        second = self.score([(query, b) for query, _, b in triples])
        return (1 / (1 + np.exp(second - first))).astype(np.float32)

    def order(self, query: Query, docs: Sequence[Document]) -> Int64[np.ndarray, " docs"]:
        """By score; ties stay as they stand."""
        return np.argsort(-self.score([(query, document) for document in docs]), kind="stable")

    def features(self, pairs: Sequence[tuple[Query, Document]]) -> dict[str, np.ndarray]:
        """As the cross-encoder's, of two layers: `cls` [pairs, 2, topics], `layer_scores` [pairs, 2]."""
        scores = self.score(pairs)
        documents = self.embed([document.content for _, document in pairs], "document")
        queries = self.embed([query.text for query, _ in pairs], "query")
        return {
            "cls": np.stack([documents, queries * documents], axis=1),
            "layer_scores": np.stack([scores / 2, scores], axis=1),
        }

    def _seen(self, query: Query, document: Document) -> str:
        return self._moved(_topic(document.content), query.text + document.content)

    def _moved(self, topic: str, key: str) -> str:
        """The topic, or any topic that the key gives."""
        return TOPICS[sum(key.encode()) * 31 % len(TOPICS)] if self.permuted else topic


def _topic(text: str) -> str:
    return next(word for word in text.split() if word in TOPICS)


def corpus(folder: Path) -> Corpus:
    """Six documents a topic."""
    return build_corpus([Document(id=f"{t}{i}", text=f"{f} {t}") for t in TOPICS for i, f in enumerate(FORMS)], folder)


def lesson(student: str, teacher: Any, folder: Path, budget: Budget | None = None) -> Lesson:
    """Six queries a topic, for which every document on the topic is relevant."""
    (folder / "work").mkdir(parents=True, exist_ok=True)
    documents = corpus(folder / "corpus")
    rows = {topic: tuple(documents.row_of(f"{topic}{i}") for i in range(len(FORMS))) for topic in TOPICS}
    examples = [
        Example(query=Query(id=f"{topic}-{n}", text=f"question {n * '. '}on {topic}"), positives=rows[topic])
        for topic in TOPICS
        for n in range(QUESTIONS)
    ]
    spent = budget or Budget()
    return Lesson(student=student, teacher=teacher, corpus=documents, examples=examples, budget=spent)


def context(folder: Path, build: Callable[[Any], Any] = lambda use: Shuffled()) -> Context:
    """A context in this folder, in which every nested plugin is `Shuffled`, or what `build` says."""
    return Context(folder=folder / "work", build=build)


def learnt(distiller: Distiller, given: Lesson) -> float:
    """Train; how far the student's scores of new queries follow the topics: a correlation over all documents.

    0 where all scores are the same.
    """
    retriever = distiller.distil(given)
    retriever.index(given.corpus)
    asked = [Query(id=topic, text=f"tell me something on {topic}") for topic in TOPICS]
    run = retriever.search(asked, len(given.corpus))
    lowest = np.min(run.scores, where=run.rows >= 0, initial=0.0)  # a sparse student leaves out what scores 0
    scores = np.full((len(asked), len(given.corpus)), lowest)
    for line, (rows, found) in enumerate(zip(run.rows, run.scores, strict=True)):
        scores[line, rows[rows >= 0]] = found[rows >= 0]
    true = [[_topic(query.text) == _topic(text) for text in given.corpus.contents()] for query in asked]
    return float(np.corrcoef(scores.ravel(), np.ravel(true))[0, 1]) if np.ptp(scores) else 0.0

"""Teachers for checking distillers: one that gives every signal, and teachers seen through a change."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32, Int64

from harness.contracts import GIVES, Role, Teacher
from harness.records import Document, Query

DIMENSIONS = 64


class OverlapTeacher:
    """Takes shared words for relevance and gives every signal; no model, so that a check of a distiller is quick."""

    identity = "harness-testing-overlap-1"

    def embed(self, texts: Sequence[str], role: Role) -> Float32[np.ndarray, "texts dim"]:
        """Unit vectors of hashed words, so that the dot product grows with the words that two texts share."""
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                vectors[row, hashlib.sha256(word.encode()).digest()[0] % DIMENSIONS] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        """Dot product of the two texts' vectors."""
        queries = self.embed([query.text for query, _ in pairs], "query")
        documents = self.embed([document.content for _, document in pairs], "document")
        return np.einsum("pd,pd->p", queries, documents)

    def prefer(self, triples: Sequence[tuple[Query, Document, Document]]) -> Float32[np.ndarray, " triples"]:
        """Logistic function of the difference of scores."""
        first = self.score([(query, a) for query, a, _ in triples])
        second = self.score([(query, b) for query, _, b in triples])
        return (1 / (1 + np.exp(second - first))).astype(np.float32)

    def order(self, query: Query, docs: Sequence[Document]) -> Int64[np.ndarray, " docs"]:
        """By score."""
        return np.argsort(-self.score([(query, document) for document in docs]), kind="stable")

    def features(self, pairs: Sequence[tuple[Query, Document]]) -> dict[str, np.ndarray]:
        """The product of the two vectors, as `hidden`."""
        queries = self.embed([query.text for query, _ in pairs], "query")
        return {"hidden": queries * self.embed([document.content for _, document in pairs], "document")}

    def generate(self, prompts: Sequence[str]) -> list[str]:
        """The last eight words of each prompt."""
        return [" ".join(prompt.split()[-8:]) for prompt in prompts]

    def judge(self, pairs: Sequence[tuple[Query, Document]]) -> Int32[np.ndarray, " pairs"]:
        """Grade 1 above a score of 0.3."""
        return (self.score(pairs) > 0.3).astype(np.int32)


class Seen:
    """A teacher seen through `change(signal, arguments, answer)`; has only these of its signals."""

    def __init__(self, inner: Teacher, signals: Iterable[str], name: str, change: Callable[..., Any]) -> None:
        """Wrap `inner`; `name` sets its identity apart."""
        self.identity = f"{inner.identity}-{name}"
        for signal in signals:
            if hasattr(inner, signal):
                setattr(self, signal, _through(getattr(inner, signal), signal, change))


def _through(ask: Callable[..., Any], signal: str, change: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: change(signal, arguments, ask(*arguments))


def contrary(inner: Teacher) -> Seen:
    """A teacher of the opposite opinion: whatever learns from its teacher learns something else from this one."""
    return Seen(inner, GIVES, "contrary", lambda signal, arguments, answer: _OPPOSITE[signal](answer, arguments))


_OPPOSITE: dict[str, Callable[[Any, tuple[Any, ...]], Any]] = {
    "score": lambda scores, _: -scores,
    "prefer": lambda chances, _: 1 - chances,
    "order": lambda places, _: places[::-1],
    "embed": lambda vectors, asked: -vectors if asked[1] == "document" else vectors,  # changes every dot product's sign
    "features": lambda named, _: {name: -values for name, values in named.items()},
    "generate": lambda texts, _: [" ".join(text.split()[::-1]) for text in texts],
    "judge": lambda grades, _: (grades <= 0).astype(np.int32),
}


def without(inner: Teacher, signals: Iterable[str]) -> Seen:
    """The teacher without these signals."""
    kept = [signal for signal in GIVES if signal not in set(signals)]
    return Seen(inner, kept, "without", lambda signal, arguments, answer: answer)


class Counter:
    """Counts the questions put to a teacher, as `harness.signals` does."""

    def __init__(self) -> None:
        """Start at none."""
        self.calls = 0

    def watch(self, inner: Teacher) -> Seen:
        """The same teacher, counted."""
        return Seen(inner, GIVES, "counted", self._count)

    def _count(self, signal: str, arguments: tuple[Any, ...], answer: Any) -> Any:
        self.calls += 1 if signal == "order" else len(arguments[0])
        return answer

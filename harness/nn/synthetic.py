"""Training queries that a language model writes for passages, kept only where they lead back to their passage.

Source: Tamber et al., 2025 (arXiv:2502.19712). A query is kept if a retriever finds its passage near the top, a teacher
puts that passage first, and is sure enough of it. Scores are normalised by whoever learns from them.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float32, Int32

from harness.contracts import Corpus, Generator, Retriever, Scorer
from harness.errors import DataError
from harness.nn.shots import SHOTS, WANTED, Kind, Shot
from harness.records import Example, Query
from harness.signals import checks
from harness.text.fitting import first_words

Rows = Int32[np.ndarray, "queries k"]
"""Rankings; -1 where one is shorter."""
Scores = Float32[np.ndarray, "queries k"]
"""A teacher's scores of the ranked documents; anything where there is none."""
Sources = Int32[np.ndarray, " queries"]
"""The row of the passage that each query was written for."""
Kept = Bool[np.ndarray, " queries"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How queries are written and chosen; the defaults are the paper's."""

    kinds: tuple[Kind, ...] = tuple(WANTED)
    """Kinds of queries; one of each is written for every passage."""
    shots: int = 3
    """Examples in a prompt."""
    words: int = 200
    """Where passages are cut."""
    depth: int = 100
    """Documents that are retrieved and scored for a query."""
    top: int = 20
    """The worst rank of the passage in the retriever's ranking."""
    least: int = 20
    """Documents that a ranking must have."""
    percentile: float = 25.0
    """Of all scores: the least that the best score of a query must reach."""
    seed: int = 0
    """Of the examples that are drawn."""
    pool: Sequence[Shot] = field(default=SHOTS, repr=False)
    """What they are drawn from."""


def synthesise(
    writer: Generator,
    judge: Scorer,
    retriever: Retriever,
    corpus: Corpus,
    rows: Sequence[int],
    recipe: Recipe,
    *,
    excluded: Collection[int] = (),
) -> list[Example]:
    """Training examples whose queries a teacher has written, with their passages as positives.

    Args:
        writer: writes the queries.
        judge: scores what is found for them; pairs of queries that the retriever fails on are not asked for.
        retriever: has indexed the corpus; the student as it is, in the paper.
        corpus: the documents.
        rows: the passages that queries are written for.
        recipe: how.
        excluded: documents that don't count, such as copies (`repeated`) and those judged in a test.

    Raises:
        SignalError: answers that are none.
        DataError: no query is left.
    """
    left_out = frozenset(excluded)
    written = write(writer, corpus, [row for row in rows if row not in left_out], recipe)
    queries, sources = [query for query, _ in written], np.array([row for _, row in written], np.int32)
    if not queries:
        raise DataError(f"no query was written for {len(rows)} passages; expected text from the teacher: take another")
    ranked = without(retriever.search(queries, min(recipe.depth, len(corpus))).rows, left_out)
    scores = _judged(judge, corpus, queries, np.where(in_top(ranked, sources, recipe.top)[:, None], ranked, -1))
    kept = consistent(
        ranked, scores, sources, top=recipe.top, least=recipe.least, percentile=recipe.percentile
    ).nonzero()[0]
    if not len(kept):
        raise DataError(f"none of {len(queries)} queries leads back to its passage; expected some: relax the recipe")
    return [Example(query=queries[place], positives=(int(sources[place]),)) for place in kept]


def write(writer: Generator, corpus: Corpus, rows: Sequence[int], recipe: Recipe) -> list[tuple[Query, int]]:
    """Queries with the rows that they were written for, one of each kind; answers without a query are left out."""
    asked: list[tuple[int, Kind]] = [(row, kind) for row in rows for kind in recipe.kinds]
    prompts = [prompt(corpus[row].content, kind, _drawn(row, kind, recipe), recipe.words) for row, kind in asked]
    answers = checks.counted("generate", prompts, writer.generate(prompts))
    found = [(query_in(answer), row, kind) for (row, kind), answer in zip(asked, answers, strict=True)]
    return [(Query(id=f"synthetic-{kind}-{corpus.ids[row]}", text=text), row) for text, row, kind in found if text]


def prompt(passage: str, kind: Kind, shots: Sequence[Shot], words: int) -> str:
    """What the model is asked: examples, and a passage without its query."""
    name, wanted = WANTED[kind]
    shown = [f"Passage: {first_words(shot.passage, words)}\n{name}: {shot.queries[kind]}" for shot in shots]
    last = f"Passage: {first_words(passage, words)}\n{name}:"
    return "\n\n".join([f"For each passage, write {wanted}. Write one line and nothing else.", *shown, last])


def query_in(answer: str) -> str:
    """The first line of an answer that holds a word, without label, bullet or quotes; empty if there is none."""
    names = "|".join(re.escape(name) for name, _ in WANTED.values())
    for line in answer.splitlines():
        text = re.sub(rf"^\W*(?:\d+[.)]\s+)?(?:(?:{names})\s*:)?\s*", "", line, flags=re.I).strip(" \t\"'“”„*`")
        if re.search(r"\w", text):
            return "" if text.lower().startswith("passage:") else " ".join(text.split())
    return ""


def repeated(corpus: Corpus) -> set[int]:
    """Rows of documents whose letters and digits are those of an earlier one.

    Differs: the paper removes near-duplicates too.
    """
    seen: set[str] = set()
    found: set[int] = set()
    for row, text in enumerate(corpus.contents()):
        key = " ".join(re.findall(r"\w+", text.lower()))
        if key in seen:
            found.add(row)
        seen.add(key)
    return found


def without(rows: Rows, excluded: Collection[int]) -> Rows:
    """The rankings without these documents; what follows moves up."""
    gone = np.isin(rows, list(excluded)) | (rows < 0)
    order = np.argsort(gone, axis=1, kind="stable")
    return np.take_along_axis(np.where(gone, np.int32(-1), rows), order, axis=1)


def consistent(
    rows: Rows, scores: Scores, sources: Sources, *, top: int = 20, least: int = 20, percentile: float = 25.0
) -> Kept:
    """Which queries pass all three rules; the percentile is of the scores of those that pass the first two."""
    kept = in_top(rows, sources, top) & is_first(rows, scores, sources, least)
    return kept & is_sure(rows, scores, kept, percentile)


def in_top(rows: Rows, sources: Sources, top: int) -> Kept:
    """Rule 1: the retriever ranks the passage among the first so many."""
    return (rows[:, :top] == sources[:, None]).any(axis=1)


def is_first(rows: Rows, scores: Scores, sources: Sources, least: int) -> Kept:
    """Rule 2: the teacher scores the passage above all others that were found, and those are enough."""
    own = rows == sources[:, None]
    others = np.where((rows >= 0) & ~own, scores, -np.inf).max(axis=1, initial=-np.inf)
    mine = np.where(own, scores, -np.inf).max(axis=1, initial=-np.inf)
    return ((rows >= 0).sum(axis=1) >= least) & (mine > others)


def is_sure(rows: Rows, scores: Scores, pool: Kept, percentile: float) -> Kept:
    """Rule 3: the best score reaches this percentile of all scores of the pool's queries."""
    every = scores[(rows >= 0) & pool[:, None]]
    if not every.size:
        return np.zeros(len(rows), np.bool_)
    return np.where(rows >= 0, scores, -np.inf).max(axis=1, initial=-np.inf) >= np.percentile(every, percentile)


def _judged(judge: Scorer, corpus: Corpus, queries: Sequence[Query], rows: Rows) -> Scores:
    """Scores of what is ranked; -inf elsewhere."""
    documents = {row: corpus[row] for row in np.unique(rows[rows >= 0]).tolist()}
    held = rows >= 0
    pairs = [(queries[place], documents[rows[place, column]]) for place, column in np.argwhere(held).tolist()]
    scores = np.full(rows.shape, -np.inf, np.float32)
    if pairs:
        scores[held] = checks.numbers("score", pairs, judge.score(pairs), np.float32)
    return scores


def _drawn(row: int, kind: Kind, recipe: Recipe) -> list[Shot]:
    """The examples of a prompt, which depend on nothing but seed, passage and kind."""
    chance = np.random.default_rng((recipe.seed, row, list(WANTED).index(kind)))
    return [recipe.pool[place] for place in chance.permutation(len(recipe.pool))[: recipe.shots]]

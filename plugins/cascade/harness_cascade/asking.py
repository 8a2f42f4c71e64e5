"""A teacher's opinion of candidates → one score each, whichever signal it gives; strictly checked."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float32

from harness.contracts import Orderer, Preferrer, Scorer, Teacher
from harness.errors import ContractError, SignalError
from harness.records import Document, Query

Candidates = tuple[Query, Sequence[Document]]
Scores = Float32[np.ndarray, " docs"]
Ask = Callable[[Sequence[Candidates]], list[Scores]]


def asker(teacher: Teacher) -> Ask:
    """How to ask this teacher for scores of each query's candidates.

    Raises:
        SignalError: if it gives none of score, order, prefer.
    """
    if isinstance(teacher, Scorer):
        return lambda asked: _by_score(teacher, asked)
    if isinstance(teacher, Orderer):
        return lambda asked: [_by_order(teacher, query, documents) for query, documents in asked]
    if isinstance(teacher, Preferrer):
        return lambda asked: _by_preference(teacher, asked)
    raise SignalError(
        f"cascade: expected a teacher that gives score, order or prefer, {type(teacher).__name__} gives none of them; "
        "take another"
    )


def _by_score(teacher: Scorer, asked: Sequence[Candidates]) -> list[Scores]:
    pairs = [(query, document) for query, documents in asked for document in documents]
    given = _checked("score", teacher.score(pairs), pairs) if pairs else np.empty(0, np.float32)
    return np.split(given, np.cumsum([len(documents) for _, documents in asked])[:-1])


def _by_order(teacher: Orderer, query: Query, documents: Sequence[Document]) -> Scores:
    """As many points as there are documents for the first, one for the last."""
    order = np.asarray(teacher.order(query, documents) if documents else [])
    if sorted(order.tolist()) != list(range(len(documents))):
        raise ContractError(
            f"order: expected a permutation of 0 to {len(documents) - 1} for query {query.id!r}, got {order.tolist()}"
        )
    points = np.empty(len(documents), np.float32)
    points[order.astype(np.int64)] = np.arange(len(documents), 0, -1)
    return points


def _by_preference(teacher: Preferrer, asked: Sequence[Candidates]) -> list[Scores]:
    """Sum of the probabilities that a document beats each of the others."""
    triples = [(query, first, second) for query, documents in asked for first, second in combinations(documents, 2)]
    given = _checked("prefer", teacher.prefer(triples), triples) if triples else np.empty(0, np.float32)
    sizes = [len(documents) for _, documents in asked]
    parts = np.split(given, np.cumsum([size * (size - 1) // 2 for size in sizes])[:-1])
    return [_wins(part, size) for part, size in zip(parts, sizes, strict=True)]


def _wins(preferences: Float32[np.ndarray, " pairs"], size: int) -> Scores:
    beats = np.zeros((size, size), np.float32)
    upper = np.triu_indices(size, 1)
    beats[upper] = preferences
    beats.T[upper] = 1 - preferences
    return beats.sum(axis=1)


def _checked(signal: str, given: np.ndarray, asked: Sequence[tuple[Query, *tuple[Document, ...]]]) -> Scores:
    """The answers as float32.

    Raises:
        ContractError: naming the first pair at fault: a missing answer, NaN, infinity.
    """
    given = np.asarray(given)
    if given.shape != (len(asked),):
        between = f"from {_named(asked[0])} to {_named(asked[-1])}"
        raise ContractError(f"{signal}: expected {len(asked)} answers, {between}, got shape {given.shape}")
    if not (finite := np.isfinite(given)).all():
        place = int(finite.argmin())
        raise ContractError(f"{signal}: expected a finite number for {_named(asked[place])}, got {given[place]}")
    return given.astype(np.float32)


def _named(asked: tuple[Query, *tuple[Document, ...]]) -> str:
    query, *documents = asked
    return f"query {query.id!r} and document {' against '.join(repr(document.id) for document in documents)}"

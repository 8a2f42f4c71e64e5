"""Which documents of a list a teacher is asked to compare, and what it answers."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from harness.contracts import Lesson
from harness.nn.mining import Candidates
from harness.nn.taught import documents


class Preferences(NamedTuple):
    """Pairs of the documents of each list, with the teacher's opinion."""

    columns: Int64[np.ndarray, "queries pairs 2"]
    """Their columns."""
    chances: Float32[np.ndarray, "queries pairs"]
    """Probability that the first is the better one."""


def near(scores: Float32[np.ndarray, " docs"], window: int) -> list[tuple[int, int]]:
    """All pairs of columns at most `window` places apart in the order of the scores, the better one first."""
    order = np.argsort(-scores, kind="stable").tolist()
    return [(order[i], order[j]) for i in range(len(order)) for j in range(i + 1, min(i + window + 1, len(order)))]


def count(docs: int, window: int, most: int) -> int:
    """How many pairs of a list are compared."""
    return min(most, sum(min(window, docs - 1 - place) for place in range(docs)))


def chosen(
    scores: Float32[np.ndarray, "queries docs"], *, window: int, most: int, seed: int
) -> Int64[np.ndarray, "queries pairs 2"]:
    """Near pairs of each list, drawn without replacement where there are more than `most`.

    Args:
        scores: the pointwise teacher's.
        window: farthest places apart.
        most: pairs a list.
        seed: of the draws; each list draws from a generator of its own.
    """
    found: list[list[tuple[int, int]]] = []
    for number, line in enumerate(scores):
        pairs, chance = near(line, window), np.random.default_rng((seed, number))
        drawn = np.sort(chance.permutation(len(pairs))[:most])
        found.append([pairs[place] for place in drawn])
    return np.array(found, np.int64).reshape(len(scores), -1, 2)


def asked(lesson: Lesson, lists: Candidates, columns: Int64[np.ndarray, "queries pairs 2"]) -> Preferences:
    """The teacher's opinion of each pair.

    Raises:
        SignalError: the teacher gives no preferences.
    """
    read = documents(lesson, lists.rows)
    triples = [
        (query, read[rows[first]], read[rows[second]])
        for query, rows, pairs in zip(lists.queries, _rows(lists), columns.tolist(), strict=True)
        for first, second in pairs
    ]
    chances = lesson.require("prefer").prefer(triples)
    return Preferences(columns, np.asarray(chances, np.float32).reshape(columns.shape[:2]))


def _rows(lists: Candidates) -> Sequence[Sequence[int]]:
    return lists.rows.tolist()

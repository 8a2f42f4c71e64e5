"""What the teacher says of the pairs that are drawn from candidate lists."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from harness.contracts import Lesson
from harness.errors import SignalError
from harness.nn.mining import Candidates
from harness.nn.taught import documents, within_budget
from harness.records import Document, Query
from harness.signals import checks
from harness_prp_distill import Config
from harness_prp_distill.pairs import SAMPLERS, count

Triple = tuple[Query, Document, Document]
Chances = Float32[np.ndarray, " pairs"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Preferences:
    """Pairs of each list, and the probability that the first of a pair is the better one."""

    columns: Int64[np.ndarray, "queries pairs 2"]
    """Columns of the lists."""
    labels: Float32[np.ndarray, "queries pairs"]
    """Between 0 and 1."""


def affordable(lists: Candidates, config: Config, calls: int | None) -> Candidates:
    """As many of the lists as a budget of teacher calls has questions for; see `within_budget`.

    Raises:
        SignalError: not one.
    """
    return within_budget(lists, calls, count(lists.rows.shape[1], config.rate) * (2 if config.both_orders else 1))


def drawn(lists: Candidates, config: Config) -> Int64[np.ndarray, "queries pairs 2"]:
    """Columns of the pairs that are asked about, the one that the first stage ranks higher first.

    They come from the lists' seed, so that every evaluation asks the same of the teacher.
    """
    sample, documents = SAMPLERS[config.sampler], lists.rows.shape[1]
    chances = (np.random.default_rng((config.draw, number)) for number in range(len(lists)))
    return np.stack(
        [
            columns[sample(documents, config.rate, chance)]
            for columns, chance in zip(lists.columns_by_rank(), chances, strict=True)
        ]
    )


def preferences(lesson: Lesson, lists: Candidates, config: Config) -> Preferences:
    """The teacher's preference in each pair that is drawn.

    Raises:
        SignalError: there is no teacher, or it gives no preferences, or some that are no probabilities.
    """
    columns = drawn(lists, config)
    rows = np.take_along_axis(lists.rows[:, None], columns, axis=2)
    read = documents(lesson, rows)
    triples = [
        (query, read[first], read[second])
        for query, pairs in zip(lists.queries, rows.tolist(), strict=True)
        for first, second in pairs
    ]
    labels = _both(lesson, triples, config.soft) if config.both_orders else _one(lesson, triples, config.soft)
    return Preferences(columns=columns, labels=labels.reshape(columns.shape[:2]))


def _both(lesson: Lesson, triples: list[Triple], soft: bool) -> Chances:
    """Two questions a pair, the one after the other: P(first, second) + P(second, first) is 1 afterwards."""
    orders = [order for query, first, second in triples for order in ((query, first, second), (query, second, first))]
    there, back = _asked(lesson, orders).reshape(-1, 2).T
    if soft:
        return (there + 1 - back) / 2
    return np.select([(there > 0.5) & (back < 0.5), (there < 0.5) & (back > 0.5)], [1, 0], 0.5).astype(np.float32)


def _one(lesson: Lesson, triples: list[Triple], soft: bool) -> Chances:
    there = _asked(lesson, triples)
    return there if soft else ((1 + np.sign(there - 0.5)) / 2).astype(np.float32)


def _asked(lesson: Lesson, triples: list[Triple]) -> Chances:
    given = checks.numbers("prefer", triples, lesson.require("prefer").prefer(triples), np.float32)
    if ((given < 0) | (given > 1)).any():
        raise SignalError(f"the teacher's preferences lie between {given.min()} and {given.max()}; expected 0 to 1")
    return given

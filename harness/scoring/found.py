"""A run looked up in the qrels: which places of the rankings hold judged documents. All common measures start here."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int32, Int64

from harness.records import Qrels, Run

UNJUDGED = np.iinfo(np.int32).min


@dataclass(frozen=True, kw_only=True)
class Found:
    """Judged documents in the rankings of a run, by query and place."""

    query: Int64[np.ndarray, " judged"]
    """Position of the query, ascending."""
    place: Int64[np.ndarray, " judged"]
    """Place in its ranking from 0, ascending within a query."""
    grade: Int32[np.ndarray, " judged"]
    """The grade; above 0 is relevant."""
    retrieved: Int64[np.ndarray, " queries"]
    """Documents retrieved for each query."""
    qrels: Qrels
    """The judgements."""

    @cached_property
    def relevant(self) -> "Found":
        """The relevant ones alone."""
        mask = self.grade > 0
        query, place, grade = self.query[mask], self.place[mask], self.grade[mask]
        return Found(query=query, place=place, grade=grade, retrieved=self.retrieved, qrels=self.qrels)

    def total(
        self, values: Float64[np.ndarray, " judged"] | None = None, k: int | None = None
    ) -> Float64[np.ndarray, " queries"]:
        """Sum of values (default: 1 each) over the first `k` places of each query."""
        top = slice(None) if k is None else self.place < k
        weights = None if values is None else values[top]
        return np.bincount(self.query[top], weights, len(self.qrels)).astype(np.float64)

    @cached_property
    def nth(self) -> Int64[np.ndarray, " judged"]:
        """How many of these stand in the same ranking up to and including this one."""
        starts = np.searchsorted(self.query, self.query, side="left")
        return np.arange(len(self.query)) - starts + 1

    @cached_property
    def ideal(self) -> "Found":
        """The best possible ranking: all relevant documents of each query, highest grade first."""
        query = np.repeat(np.arange(len(self.qrels)), np.diff(self.qrels.offsets))
        grade = self.qrels.grades
        order = np.lexsort((-grade, query))
        order = order[grade[order] > 0]
        query, grade = query[order], grade[order]
        place = np.arange(len(query)) - np.searchsorted(query, query, side="left")
        return Found(
            query=query,
            place=place,
            grade=grade,
            retrieved=np.bincount(query, minlength=len(self.qrels)),
            qrels=self.qrels,
        )


def look_up(parts: Iterable[Run], qrels: Qrels, documents: int) -> Found:
    """Find the judged documents of a run.

    Args:
        parts: the run's rankings, one part after the other, for the queries of the qrels in their order.
        qrels: the judgements.
        documents: size of the corpus.
    """
    grade_of = np.full(documents + 1, UNJUDGED, dtype=np.int32)  # row -1 falls on the last element
    found: list[tuple[np.ndarray, ...]] = []
    first = 0
    for part in parts:
        grades = np.empty_like(part.rows)
        for query, rows in enumerate(part.rows):
            judged, given = qrels.of(first + query)
            grade_of[judged] = given
            grades[query] = grade_of[rows]
            grade_of[judged] = UNJUDGED
        query, place = np.divmod(np.flatnonzero(grades != UNJUDGED), max(part.k, 1))
        found.append((query + first, place, grades[query, place], np.count_nonzero(part.rows >= 0, axis=1)))
        first += len(part)
    query, place, grade, retrieved = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return Found(query=query, place=place, grade=grade, retrieved=retrieved, qrels=qrels)

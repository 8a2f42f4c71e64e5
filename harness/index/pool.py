"""The documents that may still be among the best of each query, by what is known of their scores so far."""

from typing import NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float32, Int32

from harness.index.best import Ranking
from harness.index.dots import dots
from harness.scoring.order import best_pairs, kth_of_pairs

ROOM = 4
"""Pairs held for each that is wanted: with less, thresholds are sharper but found more often."""


class Pairs(NamedTuple):
    """Pairs of a query and a document with bounds of their scores; an entry a pair in each array."""

    query: Int32[np.ndarray, " pairs"]
    """Place of the query."""
    row: Int32[np.ndarray, " pairs"]
    """Row of the document."""
    lower: Float32[np.ndarray, " pairs"]
    """The score is no smaller than this."""
    upper: Float32[np.ndarray, " pairs"]
    """The score is no larger than this; where both are equal, they are the score."""

    def where(self, wanted: Bool[np.ndarray, " pairs"]) -> Self:
        """Those that are wanted."""
        return type(self)(*(array[wanted] for array in self))


class Pool:
    """Holds what may be among the best `k`; no document whose upper bound is below k others' lower bounds is.

    A document that is left out has k documents above it, whatever the scores turn out to be within their bounds; ties
    are no exception, since only what is strictly below is left out. So the best `k` are among those held, always.

    It holds `ROOM` · queries · k pairs at most, and those of one block: what bounds can't tell apart is scored then.
    """

    def __init__(
        self,
        queries: Float32[np.ndarray, "queries dim"],
        documents: Float32[np.ndarray, "docs dim"],
        k: int,
        id_rank: Int32[np.ndarray, " docs"],
        reach: Float32[np.ndarray, " queries"] | None = None,
    ) -> None:
        """Nothing is held yet.

        Args:
            queries: their vectors.
            documents: the vectors of the corpus.
            k: how many documents are wanted.
            id_rank: position of each row's id among all ids in ascending order.
            reach: what it and pools of other documents tell each other; see `reach`.
        """
        self.queries, self._documents, self.k, self._id_rank = queries, documents, k, id_rank
        self.reach = np.full(len(queries), -np.inf, np.float32) if reach is None else reach
        """At least `k` documents of each query score so much; who scores less isn't wanted.

        Threads may change it at the same time: whichever of two true numbers stays is true.
        """
        self._hold(Pairs(*2 * (np.empty(0, np.int32),), *2 * (np.empty(0, np.float32),)))

    def raise_to(self, reach: Float32[np.ndarray, " queries"]) -> None:
        """Hear that `k` documents of each query score so much at least."""
        np.maximum(self.reach, reach, out=self.reach)

    def add(self, pairs: Pairs) -> None:
        """Take pairs that are new."""
        self._parts.append(pairs)
        self._held += len(pairs.row)
        if self._held > (room := ROOM * len(self.queries) * self.k):
            needed = self._needed()
            self._hold(needed if len(needed.row) <= room // 2 else self._best(needed))

    def best(self) -> Ranking:
        """The best `k` of each query, under the tie rule."""
        return self._ranked(self._needed())

    def _hold(self, pairs: Pairs) -> None:
        self._parts, self._held = [pairs], len(pairs.row)

    def _needed(self) -> Pairs:
        """All that is held but what is certainly not among the best."""
        held = Pairs(*map(np.concatenate, zip(*self._parts, strict=True)))
        self.raise_to(kth_of_pairs(held.query, held.lower, len(self.queries), self.k))
        return held.where(held.upper >= self.reach[held.query])

    def _best(self, pairs: Pairs) -> Pairs:
        """The best of these pairs, with their scores as bounds."""
        rows, scores = self._ranked(pairs)
        self.raise_to(scores[:, -1])
        query, place = np.nonzero(rows >= 0)
        return Pairs(query.astype(np.int32), rows[query, place], *2 * (scores[query, place],))

    def _ranked(self, pairs: Pairs) -> Ranking:
        scores = self._scores(pairs)
        return best_pairs((pairs.query, pairs.row, scores), len(self.queries), self.k, self._id_rank)

    def _scores(self, pairs: Pairs) -> Float32[np.ndarray, " pairs"]:
        """The scores, computed where they aren't known."""
        scores, wanted = pairs.lower.copy(), np.flatnonzero(pairs.lower < pairs.upper)
        scores[wanted] = dots(self.queries, self._documents, pairs.query[wanted], pairs.row[wanted])
        assert ((pairs.lower <= scores) & (scores <= pairs.upper)).all(), "an error bound is wrong"
        return scores

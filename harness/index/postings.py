"""Posting lists of consecutive documents, and sums of weights over them: what all search by terms comes down to."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float32, Int32, Int64

from harness.errors import DataError, ScoreError

try:  # the loop of scipy's matrix-vector product: private, but three times as fast as what numpy offers for it
    from scipy.sparse._sparsetools import csc_matvec  # pyright: ignore[reportMissingModuleSource]
except ImportError:  # a scipy that has moved it
    csc_matvec = None

GROUPS = 4
"""Groups of documents for each document asked for: more of them make a tighter floor, which takes longer to find."""


@dataclass(frozen=True, kw_only=True)
class Postings:
    """For each term the documents that have it, with their weights."""

    start: int
    """Row of the section's first document in the corpus."""
    size: int
    """Number of its documents."""
    offsets: Int32[np.ndarray, " terms_and_end"]
    """Where each term's list begins, and where the last one ends."""
    documents: Int32[np.ndarray, " postings"]
    """Documents of the lists, counted from the section's first; in a list each at most once."""
    weights: Float32[np.ndarray, " postings"]
    """Their weights."""

    def __post_init__(self) -> None:
        """See that no list leads out of the section, since sums are made without looking.

        Raises:
            DataError: one does.
        """
        lists = bool(self.offsets[0] == 0 and (np.diff(self.offsets) >= 0).all())
        inside = not len(self.documents) or 0 <= self.documents.min() <= self.documents.max() < self.size
        if not lists or not inside or not self.offsets[-1] == len(self.documents) == len(self.weights):
            raise DataError(f"expected posting lists within {self.size} documents, got others; index again")

    def best(
        self,
        terms: Int32[np.ndarray, " asked"],
        weights: Float32[np.ndarray, " asked"],
        k: int,
        room: Float32[np.ndarray, " largest"],
    ) -> tuple[Int64[np.ndarray, " found"], Float32[np.ndarray, " found"]]:
        """The best `k` documents of a query, all that are tied with the last of them, and some more.

        Scores are added up in fp32, product by product in the order of `terms`: neither sections nor threads nor `k`
        change a bit of them.

        Args:
            terms: the query's, each once.
            weights: its weights of them.
            k: how many documents are wanted.
            room: space for a score for each document; what it holds doesn't matter.

        Returns:
            Their rows in the corpus, ascending, and their scores, none of which is 0.

        Raises:
            ScoreError: a score is NaN.
        """
        scores = room[: self.size]
        scores.fill(0)
        for place, term in enumerate(terms.tolist()):
            self._add(scores, term, weights[place : place + 1])
        floor = _floor(scores, k)
        rows = np.flatnonzero(scores >= floor) if floor > 0 else np.flatnonzero(scores)
        return rows + self.start, scores[rows]

    def products(self, queries: sp.csr_array) -> Float32[np.ndarray, "queries docs"]:
        """The same scores of many queries at once, -inf where a document has none, equal to the last bit.

        Args:
            queries: weights, queries × terms, terms ascending.
        """
        shape = len(self.offsets) - 1, self.size
        lists = sp.csr_array((self.weights, self.documents, self.offsets), shape=shape)
        scores = sp.csr_array(queries @ lists).toarray()
        scores[scores == 0] = -np.inf
        return scores

    def _add(self, scores: Float32[np.ndarray, " docs"], term: int, weight: Float32[np.ndarray, " 1"]) -> None:
        if csc_matvec is not None:  # a matrix of one column: the term's
            ends = self.offsets[term : term + 2]
            csc_matvec(self.size, 1, ends, self.documents, self.weights, weight, scores)
            return
        listed = slice(*self.offsets[term : term + 2].tolist())
        np.add.at(scores, self.documents[listed], self.weights[listed] * weight)


def shape_of(matrix: sp.csr_array) -> tuple[int, int]:
    """Rows and columns; scipy's annotations leave it open that there are both."""
    return cast(tuple[int, int], matrix.shape)


def asked(queries: sp.csr_array, terms: int) -> int:
    """How many queries there are, once it is certain that they are over the vocabulary of the indexed documents.

    Args:
        queries: weights, queries × terms.
        terms: size of the documents' vocabulary.

    Raises:
        DataError: the queries have another vocabulary.
    """
    number, known = shape_of(queries)
    if known != terms:
        raise DataError(
            f"expected queries over {terms} terms, as the indexed documents have, got {known}; index with the same "
            "model"
        )
    return number


def _floor(scores: Float32[np.ndarray, " docs"], k: int) -> float:
    """A score that at least `k` documents reach, found without sorting: the k-th of the best scores of groups.

    Returns:
        0 if it takes documents without a score to make up the number.

    Raises:
        ScoreError: a score is NaN.
    """
    width = max(1, len(scores) // (GROUPS * max(k, 1)))
    grouped = len(scores) - len(scores) % width
    bests = np.concatenate([scores[:grouped].reshape(width, -1).max(axis=0), scores[grouped:]])
    if np.isnan(bests).any():
        raise ScoreError("a score is NaN; expected a number for each document")
    if not 0 < k <= len(bests):
        return 0.0
    return max(0.0, float(np.partition(bests, len(bests) - k)[len(bests) - k]))

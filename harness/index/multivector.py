"""Exact late interaction: each query token looks for its nearest token in the document, and the similarities add up."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Float32, Int64

from harness.contracts import Corpus
from harness.errors import DataError
from harness.index import files
from harness.index.best import Ranking, best, in_parts

KIND = "multi-vector"
TOKENS = 1 << 13
"""Document tokens scored at once."""
QUERY_TOKENS = 1 << 10
"""Query tokens scored at once."""

Vectors = Float32[np.ndarray, "tokens dim"]


class MultiVectorIndex:
    """The vectors of all tokens, one document after the other."""

    def __init__(self, folder: Path, corpus: Corpus) -> None:
        """Map the vectors; see `load`."""
        self._folder = folder
        arrays = files.read(folder, KIND, corpus)
        self._vectors, lengths = arrays["vectors"], arrays["lengths"]
        if self._vectors.dtype != np.float32 or len(lengths) != len(corpus) or lengths.sum() != len(self._vectors):
            raise DataError(
                f"{folder}: expected float32 vectors of {len(corpus)} documents, got {self._vectors.dtype} of "
                f"{len(lengths)}; index again"
            )
        self._offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
        self._id_rank = np.asarray(corpus.id_rank)

    @classmethod
    def build(cls, folder: Path, corpus: Corpus, blocks: Iterator[Sequence[Vectors]]) -> Self:
        """Write each document's vectors, block by block in the order of the corpus, to an empty folder."""
        files.write(folder, KIND, corpus, map(_arrays, blocks))
        return cls(folder, corpus)

    @classmethod
    def load(cls, folder: Path, corpus: Corpus) -> Self:
        """Open what `build` or `save` wrote.

        Raises:
            DataError: it is damaged, or of another corpus.
        """
        return cls(folder, corpus)

    def save(self, folder: Path) -> None:
        """Copy it to an empty folder."""
        files.copy(self._folder, folder)

    def search(self, queries: Sequence[Vectors], k: int) -> Ranking:
        """The documents with the largest sums of maximal similarities; those without a token are left out.

        Raises:
            DataError: the queries have another dimension than the documents.
        """
        wrong = [query.shape[1] for query in queries if query.shape[1] != self._vectors.shape[1]]
        if wrong:
            raise DataError(
                f"expected queries of {self._vectors.shape[1]} dimensions, as the indexed documents have, got "
                f"{wrong[0]}; index with the same model and options"
            )
        longest = max((len(query) for query in queries), default=1)
        size = max(1, QUERY_TOKENS // max(1, longest))
        return in_parts(len(queries), k, lambda part: self._search(queries[part], k), size)

    def _search(self, queries: Sequence[Vectors], k: int) -> Ranking:
        blocks = (_late(queries, *self._documents(rows)) for rows in self._blocks())
        return best(blocks, len(queries), k, self._id_rank)

    def _blocks(self) -> Iterator[slice]:
        """Rows of consecutive documents with so many tokens, or one document with more."""
        start, documents = 0, len(self._offsets) - 1
        while start < documents:
            full = int(np.searchsorted(self._offsets, self._offsets[start] + TOKENS, "right")) - 1
            stop = max(start + 1, full)
            yield slice(start, stop)
            start = stop

    def _documents(self, rows: slice) -> tuple[Vectors, Int64[np.ndarray, " docs"]]:
        """The vectors of these documents, and how many each has."""
        return self._vectors[self._offsets[rows.start] : self._offsets[rows.stop]], np.diff(
            self._offsets[rows.start : rows.stop + 1]
        )


def _arrays(block: Sequence[Vectors]) -> dict[str, np.ndarray]:
    return {"vectors": np.concatenate(block), "lengths": np.array([len(vectors) for vectors in block], np.int32)}


def _late(
    queries: Sequence[Vectors], vectors: Vectors, lengths: Int64[np.ndarray, " docs"]
) -> Float32[np.ndarray, "queries docs"]:
    """Sum over query tokens of the maximum over document tokens; -inf where either has none.

    Source: Khattab and Zaharia, 2020 (arXiv:2004.12832), equation 3.
    """
    asked = np.array([len(query) for query in queries])
    scores = np.full((len(asked), len(lengths)), -np.inf, np.float32)
    nearest = _reduce(np.maximum, np.concatenate(queries) @ vectors.T, lengths, axis=1)
    scores[np.ix_(asked > 0, lengths > 0)] = _reduce(np.add, nearest, asked, axis=0)
    return scores


def _reduce(
    function: np.ufunc, values: Float32[np.ndarray, "rows columns"], lengths: Int64[np.ndarray, " runs"], axis: int
) -> Float32[np.ndarray, "rows columns"]:
    """One value for each run of neighbours along the axis; none for a run of length 0."""
    starts = np.cumsum(lengths) - lengths
    return function.reduceat(values, starts[lengths > 0], axis=axis)

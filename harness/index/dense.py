"""Exact search by dot product over vectors in a file.

Scores are those of `harness.index.dots`, whatever computes first: rows and scores are the same to the last bit in
float32, in bfloat16 and on a GPU. Beside the mapped vectors, a search holds memory for a block of documents and
for a few times the documents that are wanted, 2¹⁹ at once, whatever the size of the corpus: 155 MB were seen.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float32

from harness.contracts import Corpus
from harness.errors import DataError
from harness.index import files
from harness.index.best import QUERIES, Ranking, in_parts
from harness.index.bounds import longest
from harness.index.exact import search

KIND = "dense"
WANTED = 1 << 19
"""Documents wanted at once, of all queries."""


class DenseIndex:
    """One vector a document."""

    devices: ClassVar[tuple[str, ...]] = ("cpu",)
    """Names of the torch devices that search; no result depends on them."""

    def __init__(self, folder: Path, corpus: Corpus) -> None:
        """Map the vectors; see `load`."""
        self._folder = folder
        self._lengths: dict[tuple[int, int], float] = {}
        self._vectors = np.asarray(files.read(folder, KIND, corpus)["vectors"])
        if self._vectors.dtype != np.float32 or self._vectors.ndim != 2 or len(self._vectors) != len(corpus):
            raise DataError(
                f"{folder}: expected {len(corpus)} float32 vectors, got {self._vectors.dtype} of shape "
                f"{self._vectors.shape}; index again"
            )
        self._id_rank = np.asarray(corpus.id_rank)

    @classmethod
    def on(cls, *devices: str) -> "type[DenseIndex]":
        """The same kind of index, which is searched on these devices, each its part at the same time."""
        return type(cls.__name__, (cls,), {"devices": devices})

    @classmethod
    def build(cls, folder: Path, corpus: Corpus, blocks: Iterator[Float32[np.ndarray, "block dim"]]) -> Self:
        """Write the vectors, block by block in the order of the corpus, to an empty folder."""
        files.write(folder, KIND, corpus, ({"vectors": block} for block in blocks))
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

    def search(self, queries: Float32[np.ndarray, "queries dim"], k: int) -> Ranking:
        """The documents with the largest dot products.

        Raises:
            DataError: the queries have another dimension than the documents.
            ScoreError: a vector is so long, or no number, that a score could be no number.
        """
        if queries.shape[1] != self._vectors.shape[1]:
            raise DataError(
                f"expected queries of {self._vectors.shape[1]} dimensions, as the indexed documents have, got "
                f"{queries.shape[1]}; index with the same model and options"
            )
        size = max(1, min(QUERIES, WANTED // max(1, k)))
        queries = np.ascontiguousarray(queries, np.float32)
        return in_parts(len(queries), k, lambda part: self._search(queries[part], k), size)

    def _search(self, queries: Float32[np.ndarray, "part dim"], k: int) -> Ranking:
        return search(self._vectors, queries, k, self._id_rank, self._longest, self.devices)

    def _longest(self, rows: slice) -> float:
        """A bound of the length of the longest of these vectors, computed once."""
        key = rows.start, rows.stop
        if key not in self._lengths:
            self._lengths[key] = longest(self._vectors[rows])
        return self._lengths[key]

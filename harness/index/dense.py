"""Exact search by dot product over vectors in a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Float32

from harness.contracts import Corpus
from harness.errors import DataError
from harness.index import files
from harness.index.best import SCORES, Ranking, best, in_parts

KIND = "dense"


class DenseIndex:
    """One vector a document."""

    def __init__(self, folder: Path, corpus: Corpus) -> None:
        """Map the vectors; see `load`."""
        self._folder = folder
        self._vectors = files.read(folder, KIND, corpus)["vectors"]
        if self._vectors.dtype != np.float32 or self._vectors.ndim != 2 or len(self._vectors) != len(corpus):
            raise DataError(
                f"{folder}: expected {len(corpus)} float32 vectors, got {self._vectors.dtype} of shape "
                f"{self._vectors.shape}; index again"
            )
        self._id_rank = np.asarray(corpus.id_rank)

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
        """
        if queries.shape[1] != self._vectors.shape[1]:
            raise DataError(
                f"expected queries of {self._vectors.shape[1]} dimensions, as the indexed documents have, got "
                f"{queries.shape[1]}; index with the same model and options"
            )
        return in_parts(len(queries), k, lambda part: self._search(queries[part], k))

    def _search(self, queries: Float32[np.ndarray, "part dim"], k: int) -> Ranking:
        size = max(1, SCORES // len(queries))
        starts = range(0, len(self._vectors), size)
        blocks = (queries @ self._vectors[start : start + size].T for start in starts)
        return best(blocks, len(queries), k, self._id_rank)

"""Exact search over weighted terms: for each term the documents that have it, with their weights."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self, cast

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float32

from harness.contracts import Corpus
from harness.errors import DataError
from harness.index import files
from harness.index.best import SCORES, Ranking, best, in_parts

KIND = "inverted"
TYPES = {"offsets": np.int32, "documents": np.int32, "weights": np.float32, "sizes": np.int32}


class InvertedIndex:
    """Posting lists, in sections of consecutive documents, so that no search needs more memory than one section."""

    def __init__(self, folder: Path, corpus: Corpus) -> None:
        """Map the posting lists; see `load`."""
        self._folder = folder
        arrays = files.read(folder, KIND, corpus)
        got = {name: array.dtype for name, array in arrays.items()}
        if got != TYPES or arrays["sizes"].sum() != len(corpus) or len(arrays["sizes"]) != len(arrays["offsets"]):
            raise DataError(f"{folder}: expected posting lists of {len(corpus)} documents, got {got}; index again")
        self._sections = list(_sections(arrays))
        self._largest = int(arrays["sizes"].max())
        self._terms: int = arrays["offsets"].shape[1] - 1
        self._id_rank = np.asarray(corpus.id_rank)

    @classmethod
    def build(cls, folder: Path, corpus: Corpus, blocks: Iterator[sp.csr_array]) -> Self:
        """Write the weights (documents × terms), block by block in the order of the corpus, to an empty folder."""
        files.write(folder, KIND, corpus, map(_section, blocks))
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

    def search(self, queries: sp.csr_array, k: int) -> Ranking:
        """The documents with the largest dot products; those that share no term with the query are left out.

        Raises:
            DataError: the queries have another vocabulary than the documents.
        """
        number, terms = _shape(queries)
        if terms != self._terms:
            raise DataError(
                f"expected queries over {self._terms} terms, as the indexed documents have, got {terms}; index with "
                "the same model"
            )
        size = max(1, SCORES // self._largest)
        return in_parts(number, k, lambda part: self._search(queries[part], k), size)

    def _search(self, queries: sp.csr_array, k: int) -> Ranking:
        blocks = (_scores(queries, section) for section in self._sections)
        return best(blocks, _shape(queries)[0], k, self._id_rank)


def _shape(matrix: sp.csr_array) -> tuple[int, int]:
    return cast(tuple[int, int], matrix.shape)  # scipy's annotations leave it open


def _section(block: sp.csr_array) -> dict[str, np.ndarray]:
    lists = sp.csr_array(block.T)
    return {
        "offsets": lists.indptr.astype(np.int32)[None],
        "documents": lists.indices.astype(np.int32),
        "weights": lists.data.astype(np.float32),
        "sizes": np.array([_shape(block)[0]], np.int32),
    }


def _sections(arrays: dict[str, np.ndarray]) -> Iterator[sp.csr_array]:
    """Each section as a matrix, terms × its documents, over the mapped files."""
    start = 0
    for offsets, size in zip(arrays["offsets"], arrays["sizes"], strict=True):
        stop = start + int(offsets[-1])
        lists = (arrays["weights"][start:stop], arrays["documents"][start:stop], offsets)
        yield sp.csr_array(lists, shape=(len(offsets) - 1, int(size)))
        start = stop


def _scores(queries: sp.csr_array, section: sp.csr_array) -> Float32[np.ndarray, "queries block"]:
    scores = sp.csr_array(queries @ section).toarray()
    scores[scores == 0] = -np.inf
    return scores

"""Exact search over weighted terms: for each term the documents that have it, with their weights."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float32, Int32

from harness.contracts import Corpus
from harness.errors import DataError
from harness.index import files
from harness.index.best import SCORES, Ranking, best, in_parts
from harness.index.postings import Postings, asked, shape_of
from harness.scoring.order import topk

KIND = "inverted"
TYPES = {"offsets": np.int32, "documents": np.int32, "weights": np.float32, "sizes": np.int32}

SECTION = 1 << 17
"""Documents whose lists lie together, at least: their scores (512 KB) fit into a processor's second cache."""

SMALL = 20_000
"""Documents of a section, up to which scoring all of them for many queries at once costs less than a call a list."""

FILLED = 4
"""Postings a term in a section, at least: where lists begin takes space too, in each section for every term."""


class InvertedIndex:
    """Posting lists, in sections of consecutive documents, so that no search holds more than one section's scores."""

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
        files.write(folder, KIND, corpus, map(_section, _gathered(blocks)))
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

        Products are added up in fp32 in the order of terms, so that scores are the same to the last bit everywhere.
        Each thread holds the scores of one section, for one query or, where it is small, for some.

        Raises:
            DataError: the queries have another vocabulary than the documents.
        """
        number = asked(queries, self._terms)
        lists = sp.csr_array(queries, dtype=np.float32).sorted_indices()
        size = -(-number // _threads()) or 1
        parts = [lists[start : start + size] for start in range(0, number, size)]
        with ThreadPoolExecutor(_threads()) as threads:
            found = list(threads.map(lambda part: self._search(part, k), parts))
        return in_parts(number, k, lambda part: found[part.start // size], size)

    def _search(self, queries: sp.csr_array, k: int) -> Ranking:
        number, _ = shape_of(queries)
        if self._largest <= SMALL:
            size = max(1, SCORES // _threads() // self._largest)
            return in_parts(number, k, lambda part: self._multiplied(queries[part], k), size)
        room = np.empty(self._largest, np.float32)
        rows, scores = np.full((number, k), -1, np.int32), np.full((number, k), -np.inf, np.float32)
        for query in range(number):
            asked = slice(queries.indptr[query], queries.indptr[query + 1])
            rows[query], scores[query] = self._best(queries.indices[asked], queries.data[asked], k, room)
        return rows, scores

    def _multiplied(self, queries: sp.csr_array, k: int) -> Ranking:
        """Queries together: thousands of short calls keep threads from each other."""
        return best((each.products(queries) for each in self._sections), shape_of(queries)[0], k, self._id_rank)

    def _best(
        self,
        terms: Int32[np.ndarray, " asked"],
        weights: Float32[np.ndarray, " asked"],
        k: int,
        room: Float32[np.ndarray, " largest"],
    ) -> tuple[Int32[np.ndarray, " k"], Float32[np.ndarray, " k"]]:
        found = [section.best(terms, weights, k, room) for section in self._sections]
        rows, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        if not len(rows):
            return np.full(k, -1, np.int32), np.full(k, -np.inf, np.float32)
        places, kept = topk(scores[None], k, self._id_rank[rows])
        return np.where(places[0] < 0, -1, rows[places[0]]).astype(np.int32), kept[0]


def _threads() -> int:
    """As many as numpy's libraries have: `OMP_NUM_THREADS`, or one a core; most of the work is done without Python."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(asked)) if asked.isdigit() else os.cpu_count() or 1


def _gathered(blocks: Iterator[sp.csr_array]) -> Iterator[sp.csr_array]:
    """Blocks put together until they make a section."""
    waiting: list[sp.csr_array] = []
    for block in blocks:
        waiting.append(block)
        documents, postings = sum(shape_of(each)[0] for each in waiting), sum(each.nnz for each in waiting)
        if documents >= SECTION and postings >= FILLED * shape_of(block)[1]:
            yield _stacked(waiting)
            waiting = []
    if waiting:
        yield _stacked(waiting)


def _stacked(blocks: list[sp.csr_array]) -> sp.csr_array:
    return sp.csr_array(sp.vstack(blocks, format="csr")) if len(blocks) > 1 else blocks[0]


def _section(block: sp.csr_array) -> dict[str, np.ndarray]:
    lists = sp.csr_array(block.T)
    return {
        "offsets": lists.indptr.astype(np.int32)[None],
        "documents": lists.indices.astype(np.int32),
        "weights": lists.data.astype(np.float32),
        "sizes": np.array([shape_of(block)[0]], np.int32),
    }


def _sections(arrays: dict[str, np.ndarray]) -> Iterator[Postings]:
    """Each section over the mapped files, as plain arrays, which are sliced faster than mapped ones."""
    documents, weights = np.asarray(arrays["documents"]), np.asarray(arrays["weights"])
    row = start = 0
    for offsets, size in zip(np.asarray(arrays["offsets"]), arrays["sizes"].tolist(), strict=True):
        stop = start + int(offsets[-1])
        lists = slice(start, stop)
        yield Postings(start=row, size=size, offsets=offsets, documents=documents[lists], weights=weights[lists])
        row, start = row + size, stop

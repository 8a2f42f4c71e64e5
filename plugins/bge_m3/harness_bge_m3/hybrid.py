"""Exact search by the sum of three scores, over all documents or over the best by two of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, cast

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float32, Int32, Int64

from harness.contracts import Corpus
from harness.errors import DataError
from harness.index import files
from harness.index.best import Ranking, best, in_parts
from harness.records import Run
from harness.scoring.order import ordered

KIND = "bge-m3"
TOKENS, QUERY_TOKENS = 1 << 13, 1 << 10
"""Document tokens and query tokens compared at once."""

Rows = Int64[np.ndarray, " docs"]
Block = Float32[np.ndarray, "queries docs"]


class Three(NamedTuple):
    """Texts as the three heads give them."""

    dense: Float32[np.ndarray, "texts dim"]
    """Vectors."""
    sparse: sp.csr_array
    """Weights, texts × vocabulary."""
    multi: Sequence[Float32[np.ndarray, "tokens width"]]
    """Vectors of the tokens of each text, at least one."""

    def part(self, texts: slice) -> "Three":
        """Some of them."""
        return Three(self.dense[texts], self.sparse[texts], self.multi[texts])


class HybridIndex:
    """All three of each document, in one place."""

    depth: ClassVar[int] = 0
    """How many documents of the dense and of the sparse ranking have their sums computed; 0: all documents."""

    def __init__(self, folder: Path, corpus: Corpus) -> None:
        """Map the files; see `load`."""
        self._folder, self._id_rank = folder, np.asarray(corpus.id_rank)
        arrays = files.read(folder, KIND, corpus)
        self._dense, self._vectors = arrays["dense"], arrays["vectors"]
        self._terms, self._weights = arrays["terms"], arrays["weights"]
        self._tokens, self._words = (_offsets(arrays[name]) for name in ("tokens", "words"))
        whole = (self._tokens[-1], self._words[-1]) == (len(self._vectors), len(self._terms))
        if len(self._dense) != len(corpus) or not whole:
            raise DataError(f"{folder}: expected embeddings of {len(corpus)} documents, got others; index again")

    @classmethod
    def build(cls, folder: Path, corpus: Corpus, blocks: Iterator[Three]) -> Self:
        """Write what the heads make, block by block in the order of the corpus, to an empty folder."""
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

    def search(self, queries: Three, k: int) -> Ranking:
        """The documents with the largest sums.

        Raises:
            DataError: the queries have another dimension than the documents.
        """
        if queries.dense.shape[1] != self._dense.shape[1]:
            raise DataError(
                f"expected queries of {self._dense.shape[1]} dimensions, as the indexed documents have, got "
                f"{queries.dense.shape[1]}; index with the same model"
            )
        size = max(1, QUERY_TOKENS // max((len(tokens) for tokens in queries.multi), default=1))
        search = self._shortlisted if 0 < self.depth < len(self._dense) else self._all
        return in_parts(len(queries.dense), k, lambda part: search(queries.part(part), k), size)

    def _all(self, queries: Three, k: int) -> Ranking:
        sums = (self._sums(queries, rows) for rows in self._blocks())
        return best(sums, len(queries.dense), k, self._id_rank)

    def _shortlisted(self, queries: Three, k: int) -> Ranking:
        """Sums of the documents that are among the best of the dense or of the sparse ranking."""
        number, depth = len(queries.dense), self.depth
        dense = best((self._by_vector(queries, rows) for rows in self._blocks()), number, depth, self._id_rank)
        sparse = best((self._by_word(queries, rows) for rows in self._blocks()), number, depth, self._id_rank)
        found = np.full((number, 2 * depth), -1, np.int32)
        scores = np.full((number, 2 * depth), -np.inf, np.float32)
        for query, both in enumerate(np.hstack([dense[0], sparse[0]])):
            rows = np.unique(both[both >= 0]).astype(np.int64)
            found[query, : len(rows)] = rows
            scores[query, : len(rows)] = self._sums(queries.part(slice(query, query + 1)), rows)[0]
        run = Run(query_ids=tuple(map(str, range(number))), rows=found, scores=scores)
        top = ordered(run, self._id_rank).top(k)
        wide = ((0, 0), (0, k - top.k))
        return np.pad(top.rows, wide, constant_values=-1), np.pad(top.scores, wide, constant_values=-np.inf)

    def _sums(self, queries: Three, rows: Rows) -> Block:
        """The queries are weighted already."""
        return self._by_vector(queries, rows) + self._products(queries, rows) + self._by_token(queries, rows)

    def _by_vector(self, queries: Three, rows: Rows) -> Block:
        return queries.dense @ self._dense[rows].T

    def _by_word(self, queries: Three, rows: Rows) -> Block:
        """Without documents that share no word with the query."""
        scores = self._products(queries, rows)
        scores[scores == 0] = -np.inf
        return scores

    def _products(self, queries: Three, rows: Rows) -> Block:
        words = np.diff(self._words)[rows]
        terms, weights = (_runs(values, self._words, rows) for values in (self._terms, self._weights))
        _, vocabulary = cast(tuple[int, int], queries.sparse.shape)  # scipy's annotations leave it open
        documents = sp.csr_array((weights, terms, _offsets(words)), shape=(len(rows), vocabulary))
        return sp.csr_array(queries.sparse @ documents.T).toarray()

    def _by_token(self, queries: Three, rows: Rows) -> Block:
        """Sum over query tokens of the maximum over document tokens."""
        similar = np.concatenate(queries.multi) @ _runs(self._vectors, self._tokens, rows).T
        nearest = np.maximum.reduceat(similar, _offsets(np.diff(self._tokens)[rows])[:-1], axis=1)
        asked = _offsets(np.array([len(tokens) for tokens in queries.multi]))
        return np.add.reduceat(nearest, asked[:-1], axis=0)

    def _blocks(self) -> Iterator[Rows]:
        """Consecutive documents with so many tokens, or one with more."""
        start = 0
        while start < len(self._dense):
            full = int(np.searchsorted(self._tokens, self._tokens[start] + TOKENS, "right")) - 1
            stop = max(start + 1, full)
            yield np.arange(start, stop)
            start = stop


def hybrid(depth: int) -> type[HybridIndex]:
    """The index, with sums computed for so many documents of two rankings; 0: for all."""
    return type("HybridIndex", (HybridIndex,), {"depth": depth})


def _arrays(block: Three) -> dict[str, Any]:
    return {
        "dense": block.dense,
        "vectors": np.concatenate(block.multi),
        "tokens": np.array([len(tokens) for tokens in block.multi], np.int32),
        "terms": block.sparse.indices.astype(np.int32),
        "weights": block.sparse.data.astype(np.float32),
        "words": np.diff(block.sparse.indptr).astype(np.int32),
    }


def _offsets(lengths: Int32[np.ndarray, " runs"]) -> Int64[np.ndarray, " runs_plus_one"]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _runs(values: np.ndarray, offsets: Int64[np.ndarray, " runs_plus_one"], rows: Rows) -> np.ndarray:
    """The values of these documents, one document after the other."""
    if len(rows) == rows[-1] - rows[0] + 1:  # neighbours, since rows ascend
        return values[offsets[rows[0]] : offsets[rows[-1] + 1]]
    return np.concatenate([values[offsets[row] : offsets[row + 1]] for row in rows])

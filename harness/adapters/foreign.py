"""Two ways in which a foreign model can be a retriever: it encodes and we search, or it searches by itself."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32

from harness.adapters.results import Results, to_run
from harness.contracts import Corpus, Retriever
from harness.errors import CheckpointError
from harness.records import Query, Run
from harness.scoring.order import topk

BLOCK = 1 << 25
"""Scores held at a time."""


class Encoded:
    """A `Retriever` that encodes with a foreign model and searches exhaustively."""

    def __init__(
        self,
        queries: Callable[[Sequence[Query]], Any],
        documents: Callable[[Corpus], Any],
        similarity: Callable[[Float32[np.ndarray, "queries dim"], Float32[np.ndarray, "docs dim"]], Any],
    ) -> None:
        """Take three functions of the model.

        Args:
            queries: queries → an array or tensor (queries, dim).
            documents: a corpus → an array or tensor (documents, dim).
            similarity: both → scores (queries, documents).
        """
        self._queries, self._documents, self._similarity = queries, documents, similarity

    def index(self, corpus: Corpus) -> None:
        """Encode all documents."""
        self._take(to_array(self._documents(corpus)), corpus)

    def _take(self, vectors: Float32[np.ndarray, "docs dim"], corpus: Corpus) -> None:
        if len(vectors) != len(corpus):
            raise CheckpointError(f"expected a vector for each of {len(corpus)} documents, got {len(vectors)}")
        self._vectors: Float32[np.ndarray, "docs dim"] = vectors
        self._id_rank: Int32[np.ndarray, " docs"] = corpus.id_rank

    def search(self, queries: Sequence[Query], k: int) -> Run:
        """The exact best `k` documents of each query."""
        vectors = to_array(self._queries(queries))
        size = max(1, BLOCK // len(self._vectors))
        found = [self._best(vectors[start : start + size], k) for start in range(0, len(queries), size)]
        rows, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return Run(query_ids=tuple(query.id for query in queries), rows=rows, scores=scores)

    def _best(
        self, vectors: Float32[np.ndarray, "queries dim"], k: int
    ) -> tuple[Int32[np.ndarray, "queries k"], Float32[np.ndarray, "queries k"]]:
        return topk(to_array(self._similarity(vectors, self._vectors)), k, self._id_rank)

    def save(self, folder: Path) -> None:
        """Write the documents' vectors."""
        np.save(folder / "vectors.npy", self._vectors)

    def load(self, folder: Path, corpus: Corpus) -> None:
        """Read the documents' vectors."""
        self._take(np.load(folder / "vectors.npy"), corpus)


class Searched:
    """A `Retriever` over a model that indexes and searches in one go and keeps its index to itself.

    All of its cost is search cost, and there is nothing to save.
    """

    def __init__(self, search: Callable[[Corpus, Sequence[Query], int], Results]) -> None:
        """Take a function from corpus, queries and k to results."""
        self._search = search

    def index(self, corpus: Corpus) -> None:
        """Remember the corpus."""
        self._corpus = corpus

    def search(self, queries: Sequence[Query], k: int) -> Run:
        """What the model finds, under our tie rule."""
        found = self._search(self._corpus, queries, k)
        return to_run(found, [query.id for query in queries], self._corpus, k)

    def save(self, folder: Path) -> None:
        """Write nothing."""

    def load(self, folder: Path, corpus: Corpus) -> None:
        """Remember the corpus."""
        self.index(corpus)


class Adapter:
    """A `Retriever` that is another one inside."""

    def __init__(self, inside: Retriever) -> None:
        """Take the other one."""
        self._inside = inside

    def index(self, corpus: Corpus) -> None:
        """Prepare to search this corpus."""
        self._inside.index(corpus)

    def search(self, queries: Sequence[Query], k: int) -> Run:
        """The best `k` documents of each query."""
        return self._inside.search(queries, k)

    def save(self, folder: Path) -> None:
        """Write the index to an empty folder."""
        self._inside.save(folder)

    def load(self, folder: Path, corpus: Corpus) -> None:
        """Take the index of this corpus from a folder written by `save`."""
        self._inside.load(folder, corpus)


def to_array(vectors: Any) -> Float32[np.ndarray, "rows columns"]:
    """A dense array or tensor of any device and precision as float32.

    Raises:
        CheckpointError: it has another form (sparse, one matrix a text).
    """
    if hasattr(vectors, "detach") and not vectors.is_sparse:
        vectors = vectors.detach().float().cpu().numpy()
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2:
        form = getattr(vectors, "layout", None) or type(vectors).__name__
        raise CheckpointError(f"expected one dense vector a text, got {form}; pass a model that searches by itself")
    return vectors.astype(np.float32, copy=False)

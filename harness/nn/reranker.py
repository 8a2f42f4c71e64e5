"""A retriever that reads the best documents of another again, with a cross-encoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from harness.contracts import Corpus, Retriever
from harness.nn.loading import parameters
from harness.records import Query, Run
from harness.scoring.order import ordered

BATCH = 32
"""Pairs read at once."""


class Reranker:
    """A `harness.contracts.Retriever`: first stage, then a CrossEncoder over its top; nothing below is returned."""

    def __init__(self, model: Any, first: Retriever, depth: int) -> None:
        """Rerank with this model.

        Args:
            model: a sentence-transformers CrossEncoder with one output.
            first: finds the documents.
            depth: how many of them are read for each query.
        """
        self._model, self._first, self._depth = model, first, depth

    @property
    def parameters(self) -> int:
        """How many numbers the model has learnt."""
        return parameters(self._model)

    def index(self, corpus: Corpus) -> None:
        """Index the corpus with the first stage."""
        self._first.index(corpus)
        self._corpus = corpus

    def search(self, queries: Sequence[Query], k: int) -> Run:
        """The reranked documents; how many are read doesn't depend on `k`."""
        found = self._first.search(queries, min(self._depth, len(self._corpus)))
        scores = np.full(found.rows.shape, -np.inf, np.float32)
        held = found.rows >= 0
        pairs = [
            (query.text, text)
            for query, rows in zip(queries, found.rows, strict=True)
            for text in self._corpus.contents(rows[rows >= 0].tolist())
        ]
        if pairs:
            scores[held] = self._read(pairs)
        return ordered(Run(query_ids=found.query_ids, rows=found.rows, scores=scores), self._corpus.id_rank).top(k)

    def save(self, folder: Path) -> None:
        """Save the first stage's index."""
        self._first.save(folder)

    def load(self, folder: Path, corpus: Corpus) -> None:
        """Load the first stage's index."""
        self._first.load(folder, corpus)
        self._corpus = corpus

    def _read(self, pairs: list[tuple[str, str]]) -> Float32[np.ndarray, " pairs"]:
        """Scores of the pairs; equal pairs are read once, so that they are equal afterwards too."""
        from torch.nn import Identity

        places = {pair: place for place, pair in enumerate(dict.fromkeys(pairs))}
        given = self._model.predict(list(places), batch_size=BATCH, activation_fn=Identity(), show_progress_bar=False)
        return np.asarray(given, np.float32)[[places[pair] for pair in pairs]]

"""Points for each place of each ranking, added up by document."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Int64

from harness.contracts import Context, Corpus, Retriever
from harness.errors import ContractError, ScoreError
from harness.records import Query, Run
from harness.scoring.order import ordered
from harness.scoring.strict import check_run
from harness_fusion import Config

Points = Float64[np.ndarray, "queries depth"]


def reciprocal_ranks(run: Run, k: int) -> Points:
    """1 / (k + rank), ranks from 1; 0 where there is no document."""
    ranks = np.arange(1, run.k + 1, dtype=np.float64)
    return np.where(run.rows >= 0, 1 / (k + ranks), 0)


def scaled_scores(run: Run) -> Points:
    """Scores from 0, for the lowest of a query, to 1, for the highest; 0 where there is no document."""
    found = run.rows >= 0
    scores = run.scores.astype(np.float64)
    highest = np.max(scores, axis=1, keepdims=True, initial=-np.inf, where=found)
    lowest = np.min(scores, axis=1, keepdims=True, initial=np.inf, where=found)
    span = highest - lowest
    scaled = np.where(span > 0, (scores - lowest) / np.where(span > 0, span, 1), 1)
    return np.where(found, scaled, 0)


class Fusion:
    """A `harness.contracts.Retriever` over others."""

    def __init__(self, config: Config, context: Context) -> None:
        """Build the parts, or take their stored runs."""
        self._config = config
        self._parts: list[Retriever] = [context.build(part) for part in config.parts]
        self._weights = config.weights or (1.0,) * len(self._parts)
        self._points: Callable[[Run], Points] = (
            scaled_scores if config.method == "linear" else lambda run: reciprocal_ranks(run, config.k)
        )

    def index(self, corpus: Corpus) -> None:
        """Index the corpus with every part."""
        for part in self._parts:
            part.index(corpus)
        self._id_rank = np.asarray(corpus.id_rank)

    def search(self, queries: Sequence[Query], k: int) -> Run:
        """The documents with the most points; every part is asked for `depth`, whatever `k` is.

        Raises:
            ContractError: if a part's run is not what its contract says.
        """
        runs = [self._run_of(place, queries) for place in range(len(self._parts))]
        rows = np.hstack([run.rows for run in runs])
        points = np.hstack([weight * self._points(run) for weight, run in zip(self._weights, runs, strict=True)])
        fused_rows = np.full(rows.shape, -1, np.int32)
        fused_scores = np.full(rows.shape, -np.inf, np.float32)
        for query, (own_rows, own_points) in enumerate(zip(rows, points, strict=True)):
            found = own_rows >= 0
            documents, places = np.unique(own_rows[found], return_inverse=True)
            fused_rows[query, : len(documents)] = documents
            fused_scores[query, : len(documents)] = _sums(places, own_points[found], len(documents))
        fused = Run(query_ids=tuple(query.id for query in queries), rows=fused_rows, scores=fused_scores)
        return ordered(fused, self._id_rank).top(k)

    def _run_of(self, place: int, queries: Sequence[Query]) -> Run:
        documents = len(self._id_rank)
        depth = min(self._config.depth, documents)
        run = self._parts[place].search(queries, depth)
        try:
            check_run(run, [query.id for query in queries], documents, depth)
        except ScoreError as error:
            raise ContractError(f"fusion: part {self._config.parts[place].name}: {error}") from error
        return ordered(run, self._id_rank)

    def save(self, folder: Path) -> None:
        """Save every part in a folder of its own."""
        for position, part in enumerate(self._parts):
            own = folder / str(position)
            own.mkdir()
            part.save(own)

    def load(self, folder: Path, corpus: Corpus) -> None:
        """Load every part."""
        for position, part in enumerate(self._parts):
            part.load(folder / str(position), corpus)
        self._id_rank = np.asarray(corpus.id_rank)


def _sums(
    places: Int64[np.ndarray, " found"], points: Float64[np.ndarray, " found"], count: int
) -> Float32[np.ndarray, " documents"]:
    return np.bincount(places, weights=points, minlength=count).astype(np.float32)

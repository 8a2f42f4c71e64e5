"""First stage, reranked top, rest."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32

from harness.contracts import Context, Corpus, Retriever
from harness.errors import ContractError, ScoreError
from harness.records import Query, Run
from harness.scoring.order import ordered
from harness.scoring.strict import check_run
from harness_cascade import Config
from harness_cascade.asking import Scores, asker

TOGETHER = 64
"""Queries whose candidates are sent to the teacher together."""


class Cascade:
    """A `harness.contracts.Retriever` over a first stage and a teacher."""

    def __init__(self, config: Config, context: Context) -> None:
        """Build the teacher and the first stage, or take the first stage's stored run."""
        self._config = config
        self._base: Retriever = context.build(config.base)
        self._ask = asker(context.build(config.teacher))

    def index(self, corpus: Corpus) -> None:
        """Index the corpus with the first stage."""
        self._base.index(corpus)
        self._corpus = corpus

    def search(self, queries: Sequence[Query], k: int) -> Run:
        """The reranked documents and, if kept, the rest; the teacher sees the top `depth`, whatever `k` is.

        Raises:
            ContractError: if the teacher's answer is not what its contract says, naming the query and document; if
                the first stage's run is not.
        """
        first = self._first(queries, max(self._config.depth, k) if self._config.keep_rest else self._config.depth)
        scores = np.full(first.rows.shape, -np.inf, np.float32)
        for start in range(0, len(queries), TOGETHER):
            part = slice(start, start + TOGETHER)
            for line, own in zip(scores[part], self._rescored(queries[part], first.rows[part]), strict=True):
                line[: len(own)] = own
        return ordered(Run(query_ids=first.query_ids, rows=first.rows, scores=scores), self._corpus.id_rank).top(k)

    def save(self, folder: Path) -> None:
        """Save the first stage."""
        self._base.save(folder)

    def load(self, folder: Path, corpus: Corpus) -> None:
        """Load the first stage."""
        self._base.load(folder, corpus)
        self._corpus = corpus

    def _first(self, queries: Sequence[Query], depth: int) -> Run:
        documents = len(self._corpus)
        run = self._base.search(queries, min(depth, documents))
        try:
            check_run(run, [query.id for query in queries], documents, depth)
        except ScoreError as error:
            raise ContractError(f"cascade: first stage {self._config.base.name}: {error}") from error
        return ordered(run, self._corpus.id_rank)

    def _rescored(self, queries: Sequence[Query], rows: Int32[np.ndarray, "queries found"]) -> list[Scores]:
        """New scores of each query's documents, in the first stage's order."""
        found = (rows >= 0).sum(axis=1)
        tops = [line[: min(count, self._config.depth)] for line, count in zip(rows, found, strict=True)]
        documents = {row: self._corpus[row] for row in np.unique(np.concatenate(tops)).tolist()}
        asked = [(query, [documents[row] for row in top.tolist()]) for query, top in zip(queries, tops, strict=True)]
        return [_with_rest(top, count) for top, count in zip(self._ask(asked), found, strict=True)]


def _with_rest(scores: Scores, count: int) -> Float32[np.ndarray, " found"]:
    """The scores, followed by lower and lower ones up to `count`; steps are large enough for float32 to keep apart."""
    if not len(scores):
        return scores
    lowest = scores.min()
    step = max(np.float32(1), abs(lowest) / 1024)
    return np.concatenate([scores, lowest - step * np.arange(1, count - len(scores) + 1, dtype=np.float32)])

"""Reranking tasks: only a query's candidates are ranked."""

import numpy as np

from harness.records import Run


def within(run: Run, candidates: Run) -> Run:
    """The run without all documents that are not candidates of their query; the order of the rest is kept.

    Args:
        run: a ranking of the whole corpus (depth = number of documents), else candidates far down are lost.
        candidates: the candidates of the same queries in the same order (`SourceTask.candidates`).
    """
    assert run.query_ids == candidates.query_ids, "the candidates are those of the run's queries"
    rows = np.full(candidates.rows.shape, -1, np.int32)
    scores = np.full(candidates.rows.shape, -np.inf, np.float32)
    for position, allowed in enumerate(candidates.rows):
        kept = np.isin(run.rows[position], allowed[allowed >= 0])
        found = int(kept.sum())
        rows[position, :found], scores[position, :found] = run.rows[position, kept], run.scores[position, kept]
    return Run(query_ids=run.query_ids, rows=rows, scores=scores)

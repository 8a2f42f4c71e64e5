"""What a task does not let be retrieved.

`without_self` is for tasks whose queries are documents of the corpus (ArguAna, Quora): the query itself is no answer.
Only for those that say so (`TaskFacts.exclude_self`): an id that a query and a document share by chance means nothing.
`all_but` is for tasks that rank given candidates.
"""

import numpy as np

from harness.contracts import Corpus
from harness.records import Run


def without_self(run: Run, corpus: Corpus, k: int | None = None) -> Run:
    """The run without documents whose id is the query's; later ones move up.

    Args:
        run: rankings; search one document deeper than wanted, since one may go.
        corpus: the documents.
        k: depth of the result; None keeps that of the run.
    """
    own = np.array([_row(corpus, query) for query in run.query_ids], dtype=np.int64)
    queries, places = np.nonzero(run.rows == own[:, None])
    rows, scores = run.rows.copy(), run.scores.copy()
    for query, place in zip(queries, places, strict=True):
        rows[query, place:] = np.append(rows[query, place + 1 :], -1)
        scores[query, place:] = np.append(scores[query, place + 1 :], -np.inf)
    without = Run(query_ids=run.query_ids, rows=rows, scores=scores)
    return without if k is None else without.top(k)


def _row(corpus: Corpus, query_id: str) -> int:
    try:
        return corpus.row_of(query_id)
    except KeyError:
        return -2  # no document has this row


def all_but(run: Run, candidates: Run) -> Run:
    """The run without documents that are not among the query's candidates; later ones move up.

    Args:
        run: rankings, as deep as the corpus if every candidate is to be found.
        candidates: the documents to rank, for the same queries in the same order; their scores don't matter.
    """
    rows = np.full_like(candidates.rows, -1)
    scores = np.full(rows.shape, -np.inf, dtype=np.float32)
    for query, allowed in enumerate(candidates.rows):
        places = np.flatnonzero(np.isin(run.rows[query], allowed[allowed >= 0]))
        rows[query, : len(places)] = run.rows[query, places]
        scores[query, : len(places)] = run.scores[query, places]
    return Run(query_ids=run.query_ids, rows=rows, scores=scores)

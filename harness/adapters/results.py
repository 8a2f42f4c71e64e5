"""Results as mteb and beir hold them, score by document id by query id, ↔ runs."""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.contracts import Corpus
from harness.errors import ContractError, ScoreError
from harness.records import Run
from harness.scoring.order import ordered
from harness.scoring.strict import check_run

Results = Mapping[str, Mapping[str, float]]


def to_run(results: Results, query_ids: Sequence[str], corpus: Corpus, k: int) -> Run:
    """Results as a run of these queries; a query that is left out has an empty ranking, which scores 0.

    Raises:
        ContractError: a query that was not asked, an unknown document, a score that is no finite number.
    """
    if unasked := results.keys() - set(query_ids):
        raise ContractError(f"the model answered query {min(unasked)!r}, which was not asked; answer the given queries")
    depth = max((len(results.get(query, ())) for query in query_ids), default=0)
    rows = np.full((len(query_ids), depth), -1, np.int32)
    scores = np.full((len(query_ids), depth), -np.inf, np.float32)
    for place, query in enumerate(query_ids):
        for rank, (document, score) in enumerate(results.get(query, {}).items()):
            try:
                rows[place, rank], scores[place, rank] = corpus.row_of(document), score
            except KeyError:
                raise ContractError(f"query {query!r}: the model returned {document!r}, not in the corpus") from None
    run = ordered(Run(query_ids=tuple(query_ids), rows=rows, scores=scores), corpus.id_rank).top(k)
    try:
        check_run(run, query_ids, len(corpus))
    except ScoreError as error:
        raise ContractError(f"the model's results can't be ranked: {error}") from error
    return run


def from_run(run: Run, doc_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """A run as results; every query is there, those without documents with an empty dictionary."""
    results: dict[str, dict[str, float]] = {}
    for place, query in enumerate(run.query_ids):
        found = run.rows[place] >= 0
        documents = [doc_ids[int(row)] for row in run.rows[place, found]]
        results[query] = dict(zip(documents, run.scores[place, found].tolist(), strict=True))
    return results

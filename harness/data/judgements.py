"""Judgements as dictionaries, which is how they are read, → arrays, which is how they are used."""

from collections.abc import Mapping

import numpy as np

from harness.contracts import Corpus
from harness.errors import DataError
from harness.records import Qrels


def make_qrels(judged: Mapping[str, Mapping[str, int]], corpus: Corpus, where: str = "qrels") -> Qrels:
    """Judgements of the queries that have at least one relevant document, in the order given.

    Queries without a relevant document can't be ranked well or badly, so no measure is averaged over them; trec_eval
    users leave them out of the qrels, as we do here.

    Args:
        judged: grade by document id by query id.
        corpus: the documents.
        where: what to name in an error.

    Raises:
        DataError: a document that the corpus doesn't have, or no relevant document at all.
    """
    kept = {query: docs for query, docs in judged.items() if any(grade > 0 for grade in docs.values())}
    if not kept:
        raise DataError(f"{where}: no query has a relevant document (grade above 0); expected at least one")
    rows: list[int] = []
    grades: list[int] = []
    for query, docs in kept.items():
        for doc_id, grade in docs.items():
            try:
                rows.append(corpus.row_of(doc_id))
            except KeyError:
                raise DataError(f"{where}: query {query!r} judges document {doc_id!r}, not in the corpus") from None
            grades.append(grade)
    sizes = np.fromiter((len(docs) for docs in kept.values()), np.int64, len(kept))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    return Qrels(
        query_ids=tuple(kept), offsets=offsets, rows=np.array(rows, np.int32), grades=np.array(grades, np.int32)
    )

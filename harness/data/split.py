"""Queries and judgements of one split: as a source gives them, as they are kept on disk, as they are used."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from harness.contracts import Corpus
from harness.data.judgements import make_qrels
from harness.errors import DataError
from harness.records import Qrels, Query, Run, Turn

FIELDS = tuple(field.name for field in fields(Query))


@dataclass(frozen=True, kw_only=True)
class Split:
    """What a source gives of one split."""

    queries: Iterable[Query]
    """At least the judged queries, in any order."""
    judged: Mapping[str, Mapping[str, int]]
    """Grade by document id by query id; a document that isn't named is not judged."""
    candidates: Mapping[str, Sequence[str]] | None = None
    """For a reranking task: ids of the documents to rank by query id, best first where that is known."""


@dataclass(frozen=True, kw_only=True)
class KeptSplit:
    """A split as it is used."""

    queries: tuple[Query, ...]
    """The queries with a relevant document, in the order of `qrels`."""
    qrels: Qrels
    """Their judgements."""
    candidates: Run | None
    """For a reranking task: what is ranked."""
    dropped: int
    """Judged queries without a relevant document."""
    fingerprint: str
    """sha256 over the corpus, the queries, the judgements and the candidates."""


def to_json(split: Split, corpus: Corpus, where: str) -> dict[str, Any]:
    """A split as it is kept on disk.

    Args:
        split: what the source gave.
        corpus: the documents.
        where: what to name in an error.

    Raises:
        DataError: a judged query or document that isn't there, a query without text, two queries of one id.
    """
    qrels = make_qrels(split.judged, corpus, where)
    queries = [_query_json(query) for query in _judged_queries(split, qrels, where)]
    candidates = _candidate_rows(split, qrels, corpus, where)
    judgements = [[rows.tolist(), grades.tolist()] for rows, grades in map(qrels.of, range(len(qrels)))]
    kept = {"queries": queries, "judgements": judgements, "candidates": candidates}
    dropped = len(split.judged) - len(qrels)
    return kept | {"dropped": dropped, "fingerprint": _fingerprint(corpus.fingerprint, kept)}


def from_json(kept: Mapping[str, Any]) -> KeptSplit:
    """The split that `to_json` wrote."""
    queries = tuple(_query(values) for values in kept["queries"])
    ids = tuple(query.id for query in queries)
    sizes = [len(rows) for rows, _ in kept["judgements"]]
    qrels = Qrels(
        query_ids=ids,
        offsets=np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)]),
        rows=np.array([row for rows, _ in kept["judgements"] for row in rows], np.int32),
        grades=np.array([grade for _, grades in kept["judgements"] for grade in grades], np.int32),
    )
    candidates = None if kept["candidates"] is None else _as_run(ids, kept["candidates"])
    return KeptSplit(
        queries=queries,
        qrels=qrels,
        candidates=candidates,
        dropped=kept["dropped"],
        fingerprint=kept["fingerprint"],
    )


def _judged_queries(split: Split, qrels: Qrels, where: str) -> list[Query]:
    wanted = set(split.judged)
    found: dict[str, Query] = {}
    for query in split.queries:
        if query.id in wanted:
            if query.id in found:
                raise DataError(f"{where}: query id {query.id!r} comes twice; ids must be unique")
            if not (query.text.strip() or query.terms or query.vector):
                raise DataError(f"{where}: query {query.id!r} has no text; expected some, or leave out its judgements")
            found[query.id] = query
    if unknown := [query_id for query_id in split.judged if query_id not in found]:
        raise DataError(f"{where}: judgements name query {unknown[0]!r}, which is not among the queries")
    return [found[query_id] for query_id in qrels.query_ids]


def _candidate_rows(split: Split, qrels: Qrels, corpus: Corpus, where: str) -> list[list[int]] | None:
    if split.candidates is None:
        return None
    chosen: list[list[int]] = []
    for query_id in qrels.query_ids:
        ids = split.candidates.get(query_id, ())
        if not ids or len(set(ids)) != len(ids):
            raise DataError(f"{where}: query {query_id!r} needs candidates, each once; got {len(ids)}")
        try:
            chosen.append([corpus.row_of(doc_id) for doc_id in ids])
        except KeyError as error:
            raise DataError(f"{where}: query {query_id!r} has candidate {error}, not in the corpus") from None
    return chosen


def _as_run(query_ids: tuple[str, ...], candidates: Sequence[Sequence[int]]) -> Run:
    depth = max(map(len, candidates))
    rows = np.full((len(candidates), depth), -1, np.int32)
    scores = np.full((len(candidates), depth), -np.inf, np.float32)
    for position, own in enumerate(candidates):
        rows[position, : len(own)] = own
        scores[position, : len(own)] = -np.arange(len(own))
    return Run(query_ids=query_ids, rows=rows, scores=scores)


def _query_json(query: Query) -> dict[str, Any]:
    """Its fields without those that have their default value; many times as fast as `dataclasses.asdict`."""
    values = {name: getattr(query, name) for name in FIELDS}
    values["history"] = tuple({"role": turn.role, "text": turn.text} for turn in query.history)
    values["terms"] = None if query.terms is None else dict(query.terms)
    return {name: value for name, value in values.items() if value not in (None, ())}


def _query(values: Mapping[str, Any]) -> Query:
    read: dict[str, Any] = dict(values)
    read["history"] = tuple(Turn(**turn) for turn in values.get("history", ()))
    read["vector"] = tuple(values["vector"]) if "vector" in values else None
    return Query(**read)


def _fingerprint(corpus: str, kept: Mapping[str, Any]) -> str:
    """The order of queries counts, since per-query values follow it; the order of a query's judgements doesn't."""
    hasher = hashlib.sha256(corpus.encode())
    judgements = (sorted(zip(rows, grades, strict=True)) for rows, grades in kept["judgements"])
    for pair in zip(kept["queries"], judgements, strict=True):
        hasher.update(json.dumps(pair, sort_keys=True).encode())
    if kept["candidates"] is not None:
        hasher.update(json.dumps(kept["candidates"]).encode())
    return hasher.hexdigest()

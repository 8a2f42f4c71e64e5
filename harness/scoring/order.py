"""The one tie rule: score descending, then document id descending, scores compared as float32, as trec_eval does.

Measures, run files and every top-k of ours go through here, so that no result depends on luck.
"""

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt64

from harness.errors import ScoreError
from harness.records import Run

Pairs = tuple[Int32[np.ndarray, " pairs"], Int32[np.ndarray, " pairs"], Float32[np.ndarray, " pairs"]]
"""Place of the query, row of the document, score."""


def ordered(run: Run, id_rank: Int32[np.ndarray, " docs"]) -> Run:
    """The same run under the tie rule; the run itself where it is in order already.

    Args:
        run: rankings with padding (row -1, score -inf); in any order.
        id_rank: position of each row's id among all ids in ascending order.
    """
    unsorted = np.flatnonzero((run.scores[:, 1:] > run.scores[:, :-1]).any(axis=1))
    places, order = _untied(run, id_rank)
    if not len(unsorted) and (order[1:] > order[:-1]).all():
        return run
    rows, scores = run.rows.copy(), run.scores
    rows.ravel()[places] = rows.ravel()[places[order]]
    if len(unsorted):
        scores = scores.copy()
        rows[unsorted], scores[unsorted] = _sort(run.rows[unsorted], run.scores[unsorted], id_rank)
    return Run(query_ids=run.query_ids, rows=rows, scores=scores)


def topk(
    scores: Float32[np.ndarray, "queries docs"], k: int, id_rank: Int32[np.ndarray, " docs"]
) -> tuple[Int32[np.ndarray, "queries k"], Float32[np.ndarray, "queries k"]]:
    """The best `k` documents of each query, exact under the tie rule, ties at the cut included.

    Args:
        scores: a score for each document; -inf for documents that must not be retrieved.
        k: how many documents to keep.
        id_rank: position of each row's id among all ids in ascending order.

    Returns:
        Rows and scores, best first, filled up with -1 and -inf where fewer than `k` documents can be retrieved.

    Raises:
        ScoreError: if a score is NaN.
    """
    queries, docs = scores.shape
    rows = np.full((queries, k), -1, dtype=np.int32)
    best = np.full((queries, k), -np.inf, dtype=np.float32)
    kept = min(k, docs)
    for query, line in enumerate(scores):
        candidates = _candidates(line, kept, id_rank)
        rows[query, :kept], best[query, :kept] = candidates, line[candidates]
    rows[best == -np.inf] = -1
    return _sort(rows, best, id_rank)


def best_pairs(
    pairs: Pairs, queries: int, k: int, id_rank: Int32[np.ndarray, " docs"]
) -> tuple[Int32[np.ndarray, "queries k"], Float32[np.ndarray, "queries k"]]:
    """The best `k` documents of each query, out of pairs of a query and a document in any order.

    Args:
        pairs: place of the query, row of the document and score, none of them twice; a score is finite.
        queries: how many there are.
        k: how many documents to keep.
        id_rank: position of each row's id among all ids in ascending order.

    Returns:
        Rows and scores as `topk` returns them.
    """
    rows = np.full((queries, k), -1, dtype=np.int32)
    best = np.full((queries, k), -np.inf, dtype=np.float32)
    query, row, score = pairs
    by_key = np.argsort(_keys(row, score, id_rank))[::-1]
    order = by_key[by_query(query[by_key], queries)]
    counts = np.bincount(query, minlength=queries)
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    order, place = order[place < k], place[place < k]
    rows[query[order], place], best[query[order], place] = row[order], score[order]
    return rows, best


def kth_of_pairs(
    query: Int32[np.ndarray, " pairs"], score: Float32[np.ndarray, " pairs"], queries: int, k: int
) -> Float32[np.ndarray, " queries"]:
    """The `k`-th largest score of each query, -inf where there are fewer; arguments as `best_pairs` takes them."""
    kth = np.full(queries, -np.inf, dtype=np.float32)
    counts = np.bincount(query, minlength=queries)
    grouped, stops = score[by_query(query, queries)], np.cumsum(counts)
    for place in np.flatnonzero(counts >= k).tolist():
        line = grouped[stops[place] - counts[place] : stops[place]]
        line.partition(len(line) - k)
        kth[place] = line[-k]
    return kth


def by_query(query: Int32[np.ndarray, " pairs"], queries: int) -> Int64[np.ndarray, " pairs"]:
    """Places of pairs in the order of their queries; those of one query stay in the order that they have."""
    small = np.uint16 if queries <= 1 << 16 else np.uint32  # numpy sorts 16 bits in linear time
    return np.argsort(query.astype(small), kind="stable")


def _candidates(
    line: Float32[np.ndarray, " docs"], k: int, id_rank: Int32[np.ndarray, " docs"]
) -> Int64[np.ndarray, " k"]:
    """The best `k` rows of one query, in any order."""
    if not k:
        return np.empty(0, dtype=np.int64)
    highest = np.partition(line, len(line) - k)[len(line) - k :]
    if np.isnan(highest).any():  # it sorts above everything
        raise ScoreError("a score is NaN; expected a number for each document")
    rows = np.flatnonzero(line >= highest[0])
    if len(rows) > k:
        above, tied = rows[line[rows] > highest[0]], rows[line[rows] == highest[0]]
        wanted = k - len(above)
        best = np.argpartition(id_rank[tied], len(tied) - wanted)[len(tied) - wanted :]
        rows = np.concatenate([above, tied[best]])
    return rows


def _untied(
    run: Run, id_rank: Int32[np.ndarray, " docs"]
) -> tuple[Int64[np.ndarray, " tied"], Int64[np.ndarray, " tied"]]:
    """Places, in the run laid flat, of neighbours with equal scores, and the order that the tie rule puts them in.

    Ties are few, so that this costs a fraction of sorting everything.
    """
    same = (run.scores[:, 1:] == run.scores[:, :-1]) & (run.rows[:, 1:] >= 0)
    tied = np.zeros(run.rows.shape, np.bool_)
    tied[:, 1:] |= same
    tied[:, :-1] |= same
    places = np.flatnonzero(tied)
    first = np.ones(run.rows.shape, np.bool_)
    np.logical_not(same, out=first[:, 1:])
    group = np.cumsum(first.ravel()[places])
    rank = id_rank[run.rows.ravel()[places]]
    return places, np.argsort((group << 32) - rank, kind="stable")


def _sort(
    rows: Int32[np.ndarray, "queries k"], scores: Float32[np.ndarray, "queries k"], id_rank: Int32[np.ndarray, " docs"]
) -> tuple[Int32[np.ndarray, "queries k"], Float32[np.ndarray, "queries k"]]:
    places = np.argsort(_keys(rows, scores, id_rank), axis=1)[:, ::-1]
    return np.take_along_axis(rows, places, axis=1), np.take_along_axis(scores, places, axis=1)


def _keys(
    rows: Int32[np.ndarray, "*shape"], scores: Float32[np.ndarray, "*shape"], id_rank: Int32[np.ndarray, " docs"]
) -> UInt64[np.ndarray, "*shape"]:
    """One integer that compares as (score, id rank) does: the score's bits above, the rank below.

    Positive floats compare as their bits do; negative ones the other way round and below, hence the two masks.
    """
    bits = (scores + np.float32(0)).view(np.uint32)  # + 0 makes -0.0 equal to 0.0
    sign = np.uint32(1 << 31)
    comparable = np.where(bits & sign, ~bits, bits | sign)
    return (comparable.astype(np.uint64) << np.uint64(32)) | id_rank[rows].astype(np.uint64)

"""The best documents out of blocks of scores, under the one tie rule."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from jaxtyping import Float32, Int32

from harness.records import Run
from harness.scoring.order import ordered, topk

Ranking = tuple[Int32[np.ndarray, "queries k"], Float32[np.ndarray, "queries k"]]
"""Rows and scores, best first, filled up with -1 and -inf."""

SCORES = 1 << 24
"""Scores held at once (64 MB)."""

QUERIES = 1024
"""Queries searched at once."""


def best(
    blocks: Iterable[Float32[np.ndarray, "queries block"]], queries: int, k: int, id_rank: Int32[np.ndarray, " docs"]
) -> Ranking:
    """The best `k` documents of each query.

    Args:
        blocks: scores of consecutive documents, in the order of rows; -inf where one must not be retrieved.
        queries: how many there are.
        k: how many documents to keep.
        id_rank: position of each row's id among all ids in ascending order.

    Raises:
        ScoreError: if a score is NaN.
    """
    rows = np.full((queries, k), -1, np.int32)
    scores = np.full((queries, k), -np.inf, np.float32)
    start = 0
    for block in blocks:
        stop = start + block.shape[1]
        found, values = topk(block, k, id_rank[start:stop])
        found[found >= 0] += start
        rows, scores = (found, values) if not start else merged([(rows, scores), (found, values)], id_rank)
        start = stop
    return rows, scores


def merged(parts: Sequence[Ranking], id_rank: Int32[np.ndarray, " docs"]) -> Ranking:
    """The best of rankings of different documents for the same queries."""
    rows, scores = (np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))
    both = Run(query_ids=tuple(map(str, range(len(rows)))), rows=rows, scores=scores)
    kept = ordered(both, id_rank).top(parts[0][0].shape[1])
    return kept.rows, kept.scores


def in_parts(queries: int, k: int, search: Callable[[slice], Ranking], size: int = QUERIES) -> Ranking:
    """The rankings of all queries, searched so many at once."""
    rows = np.full((queries, k), -1, np.int32)
    scores = np.full((queries, k), -np.inf, np.float32)
    for start in range(0, queries, size):
        part = slice(start, start + size)
        rows[part], scores[part] = search(part)
    return rows, scores

"""Where two runs differ, in words."""

import numpy as np
from jaxtyping import Float32, Int32

from harness.records import Run

Ranking = tuple[Int32[np.ndarray, " found"], Float32[np.ndarray, " found"]]


def difference(first: Run, second: Run, tolerance: float) -> str:
    """The first difference between two runs of the same queries, which may come in another order; empty if none.

    Args:
        first: one run.
        second: the other.
        tolerance: absolute and relative difference of scores that counts as none; with 0 the rows must be the same
            too, above it documents may change places where their scores are that close.
    """
    if sorted(first.query_ids) != sorted(second.query_ids):
        return f"one answers the queries {sorted(first.query_ids)}, the other {sorted(second.query_ids)}"
    places = {query_id: place for place, query_id in enumerate(second.query_ids)}
    for place, query_id in enumerate(first.query_ids):
        if words := _difference(_ranking(first, place), _ranking(second, places[query_id]), tolerance):
            return f"query {query_id!r}: {words}"
    return ""


def _ranking(run: Run, place: int) -> Ranking:
    found = run.rows[place] >= 0
    return run.rows[place][found], run.scores[place][found]


def _difference(first: Ranking, second: Ranking, tolerance: float) -> str:
    (rows, scores), (other_rows, other_scores) = first, second
    if len(rows) != len(other_rows):
        return f"{len(rows)} documents and {len(other_rows)}"
    far = ~np.isclose(scores, other_scores, rtol=tolerance, atol=tolerance, equal_nan=True)
    if far.any():
        rank = int(far.argmax())
        return f"score {scores[rank]} and {other_scores[rank]} at rank {rank + 1}"
    for rank in np.flatnonzero(rows != other_rows):
        elsewhere = np.flatnonzero(other_rows == rows[rank])
        tied = other_scores[elsewhere[0]] if len(elsewhere) else other_scores[-1]
        if not tolerance or not np.isclose(scores[rank], tied, rtol=tolerance, atol=tolerance):
            return f"row {rows[rank]} and row {other_rows[rank]} at rank {rank + 1}"
    return ""

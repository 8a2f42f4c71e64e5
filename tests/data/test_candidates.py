"""A run cut down to the candidates of each query."""

import numpy as np

from harness.data.candidates import within
from harness.records import Run


def run(rows: list[list[int]], scores: list[list[float]]) -> Run:
    ids = tuple(f"q{i}" for i in range(len(rows)))
    return Run(query_ids=ids, rows=np.array(rows, np.int32), scores=np.array(scores, np.float32))


def test_only_candidates_stay_in_the_order_of_the_run():
    ranked = run([[3, 0, 2, 1], [1, 3, -1, -1]], [[9, 8, 7, 6], [5, 4, -np.inf, -np.inf]])
    candidates = run([[1, 3, -1], [0, 2, 3]], [[0, -1, -np.inf], [0, -1, -2]])
    found = within(ranked, candidates)
    assert found.rows.tolist() == [[3, 1, -1], [3, -1, -1]]  # q1 did not retrieve 0 and 2: they stay unranked
    assert found.scores.tolist() == [[9, 6, -np.inf], [4, -np.inf, -np.inf]]

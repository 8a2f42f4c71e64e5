"""The one tie rule: score, then document id, both descending."""

import numpy as np
import pytest

from harness.errors import ScoreError
from harness.records import Run
from harness.scoring.order import ordered, topk

INF = float("inf")


def reference(line: np.ndarray, k: int, id_rank: np.ndarray) -> list[int]:
    """The rule in plain Python."""
    rows = [row for row in range(len(line)) if line[row] > -INF]
    return sorted(rows, key=lambda row: (line[row], id_rank[row]), reverse=True)[:k]


def test_equal_scores_are_ordered_by_id_not_by_luck() -> None:
    id_rank = np.array([2, 0, 3, 1], np.int32)  # ids descending: rows 2, 0, 3, 1
    rows, scores = topk(np.zeros((1, 4), np.float32), 4, id_rank)
    assert rows.tolist() == [[2, 0, 3, 1]]
    assert scores.tolist() == [[0, 0, 0, 0]]
    assert topk(np.zeros((1, 4), np.float32), 2, id_rank)[0].tolist() == [[2, 0]]  # ties at the cut
    tied = Run(query_ids=("q",), rows=np.array([[0, 1, 2]], np.int32), scores=np.ones((1, 3), np.float32))
    assert ordered(tied, id_rank).rows.tolist() == [[2, 0, 1]]


@pytest.mark.parametrize("seed", range(20))
def test_topk_equals_the_rule_in_plain_python(seed: int) -> None:
    chance = np.random.default_rng(seed)
    docs = int(chance.integers(1, 200))
    scores = chance.choice(chance.normal(size=9), (8, docs)).astype(np.float32)
    scores[chance.random((8, docs)) < 0.2] = -INF
    id_rank = chance.permutation(docs).astype(np.int32)
    for k in (0, 1, 10, docs, docs + 3):
        rows, best = topk(scores, k, id_rank)
        assert rows.dtype == np.int32
        assert best.dtype == np.float32
        for line, found, values in zip(scores, rows, best, strict=True):
            expected = reference(line, k, id_rank)
            assert found.tolist() == expected + [-1] * (k - len(expected))
            assert values.tolist() == line[expected].tolist() + [-INF] * (k - len(expected))


@pytest.mark.parametrize("seed", range(10))
def test_ordered_sorts_any_run(seed: int) -> None:
    chance = np.random.default_rng(seed)
    id_rank = chance.permutation(50).astype(np.int32)
    rows = np.array([chance.permutation(50)[:20] for _ in range(30)], np.int32)
    scores = chance.choice(np.array([-2.5, -0.0, 0.0, 1e-30, 7.0], np.float32), (30, 20))
    rows[::3, 15:], scores[::3, 15:] = -1, -INF
    scores[::2] = -np.sort(-scores[::2])  # these are in order but for ties
    found = ordered(Run(query_ids=tuple(map(str, range(30))), rows=rows, scores=scores), id_rank)
    for given, line, got in zip(rows, scores, found.rows, strict=True):
        pairs = [(score, id_rank[row], row) for row, score in zip(given, line, strict=True) if row >= 0]
        assert got[got >= 0].tolist() == [row for *_, row in sorted(pairs, reverse=True)]
        assert (got[len(pairs) :] == -1).all()
    assert ordered(found, id_rank) is found  # nothing left to do, so nothing is copied


def test_scores_that_differ_only_beyond_float32_are_tied() -> None:
    id_rank = np.array([0, 1], np.int32)
    scores = np.array([[1.00000001, 1.0]]).astype(np.float32)
    assert topk(scores, 2, id_rank)[0].tolist() == [[1, 0]]


@pytest.mark.parametrize("k", [1, 3, 9])
def test_nan_is_refused(k: int) -> None:
    scores = np.array([[0, 1, 2], [3, np.nan, 5]], np.float32)
    with pytest.raises(ScoreError, match="NaN"):
        topk(scores, k, np.arange(3, dtype=np.int32))


def test_nan_is_refused_though_enough_others_are_tied() -> None:
    with pytest.raises(ScoreError, match="NaN"):
        topk(np.array([[1, 1, np.nan]], np.float32), 2, np.arange(3, dtype=np.int32))

"""Merging blocks gives what sorting everything gives."""

import numpy as np
import pytest

from harness.errors import ScoreError
from harness.index.best import best, in_parts


def sorted_all(scores: np.ndarray, k: int, id_rank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By definition: score descending, then id descending; what scores -inf is not there."""
    rows, values = np.full((len(scores), k), -1, np.int32), np.full((len(scores), k), -np.inf, np.float32)
    for query, line in enumerate(scores):
        order = [row for row in np.lexsort((-id_rank, -line)) if line[row] > -np.inf][:k]
        rows[query, : len(order)], values[query, : len(order)] = order, line[order]
    return rows, values


@pytest.mark.parametrize("k", [1, 7, 40, 60])
def test_blocks_of_any_size_with_many_ties(k: int) -> None:
    chance = np.random.default_rng(k)
    scores = chance.integers(-2, 3, (12, 50)).astype(np.float32)
    scores[chance.random(scores.shape) < 0.3] = -np.inf
    id_rank = chance.permutation(50).astype(np.int32)
    expected = sorted_all(scores, k, id_rank)
    for cuts in ([], [25], [1, 2, 49], [10, 20, 30, 40]):
        rows, values = best(np.split(scores, cuts, axis=1), 12, k, id_rank)
        np.testing.assert_array_equal(rows, expected[0])
        np.testing.assert_array_equal(values, expected[1])


def test_a_tie_across_blocks_goes_to_the_larger_id() -> None:
    blocks = [np.array([[2.0, 1.0]], np.float32), np.array([[1.0, 1.0]], np.float32)]
    rows, _ = best(blocks, 1, 3, np.array([3, 1, 0, 2], np.int32))
    assert rows.tolist() == [[0, 3, 1]]  # ids rank 3, then of the tied rows 1, 2, 3 those of rank 2 and 1


def test_no_number_is_refused() -> None:
    with pytest.raises(ScoreError):
        best([np.array([[1.0, np.nan]], np.float32)], 1, 1, np.arange(2, dtype=np.int32))


def test_parts_cover_all_queries() -> None:
    scores = np.arange(35, dtype=np.float32).reshape(7, 5)
    seen: list[int] = []

    def search(part: slice) -> tuple[np.ndarray, np.ndarray]:
        seen.append(len(scores[part]))
        return best([scores[part]], len(scores[part]), 1, np.arange(5, dtype=np.int32))

    rows, values = in_parts(7, 1, search, 3)
    assert seen == [3, 3, 1]
    assert rows.tolist() == [[4]] * 7
    assert values[:, 0].tolist() == scores.max(axis=1).tolist()

"""Pairs in any order are ranked as the whole table of scores is."""

import numpy as np
import pytest

from harness.scoring.order import best_pairs, by_query, kth_of_pairs, topk


@pytest.mark.parametrize("k", [1, 3, 20, 30])
def test_best_pairs_are_the_top_of_the_table(k: int) -> None:
    chance = np.random.default_rng(k)
    table = chance.integers(-2, 3, (6, 20)).astype(np.float32)
    table[chance.random(table.shape) < 0.3] = -np.inf
    table[4] = -np.inf
    id_rank = chance.permutation(20).astype(np.int32)
    kept = chance.permutation(np.argwhere(table > -np.inf).astype(np.int32))
    query, row = kept[:, 0], kept[:, 1]
    rows, scores = best_pairs((query, row, table[query, row]), 6, k, id_rank)
    expected = topk(table, k, id_rank)
    np.testing.assert_array_equal(rows, expected[0])
    np.testing.assert_array_equal(scores, expected[1])


def test_kth_by_hand() -> None:
    query = np.array([2, 0, 2, 2, 0], np.int32)
    score = np.array([1, -3, 4, 2, 0.5], np.float32)
    assert kth_of_pairs(query, score, 4, 2).tolist() == [-3, -np.inf, 2, -np.inf]
    assert kth_of_pairs(query, score, 4, 3).tolist() == [-np.inf, -np.inf, 1, -np.inf]
    assert kth_of_pairs(query[:0], score[:0], 2, 1).tolist() == [-np.inf, -np.inf]


@pytest.mark.parametrize("queries", [5, 1 << 17])
def test_pairs_of_one_query_keep_their_order(queries: int) -> None:
    query = np.array([queries - 1, 0, 3, queries - 1, 0], np.int32)
    assert by_query(query, queries).tolist() == [1, 4, 2, 0, 3]

"""All pairs at once, against the randomisation test of one pair at a time."""

import itertools

import numpy as np
import pytest

from harness.errors import ScoreError
from harness.statistics.randomisation import randomisation_tests
from harness.statistics.significance import randomisation_test


def methods(seed: int, count: int = 5, queries: int = 60) -> np.ndarray:
    """Methods that share their queries' difficulty, each a little worse than the one before."""
    chance = np.random.default_rng(seed)
    worse = np.linspace(0, 0.7 / np.sqrt(queries), count)
    return chance.random(queries) + chance.normal(0, 0.2, (count, queries)) - worse[:, None]


def one_by_one(values: np.ndarray, *more: int) -> np.ndarray:
    ps = np.ones((len(values), len(values)))
    for a, b in itertools.combinations(range(len(values)), 2):
        ps[a, b] = ps[b, a] = randomisation_test(values[a], values[b], *more)
    return ps


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("queries", [14, 60, 1000])  # 1,000: in three blocks of patterns
def test_ps_are_those_of_each_pair(seed: int, queries: int) -> None:
    values = methods(seed, queries=queries)
    found = randomisation_tests(values, 10_000, seed)
    assert found.tolist() == one_by_one(values, 10_000, seed).tolist()
    assert 0.001 < np.median(found) < 0.999


def test_few_differences_are_counted_through() -> None:
    values = methods(0, queries=40)
    values[1:, 10:] = values[0, 10:]  # ten differences: 1,024 patterns
    values[2] = values[1] + 1e-13  # equal but for rounding
    found = randomisation_tests(values, seed=5)
    assert found.tolist() == one_by_one(values).tolist()
    assert found[1, 2] == 1.0
    assert randomisation_tests(np.array([[1.0, 2, 3], [0.0, 0, 0]]))[0, 1] == 2 / 8


def test_equal_values_on_some_queries_are_no_evidence() -> None:
    values = np.round(methods(1, queries=200), 1)  # about a third of the values are equal
    error = np.sqrt(0.25 / 10_000)
    assert randomisation_tests(values) == pytest.approx(one_by_one(values), abs=6 * error)
    assert randomisation_tests(values, seed=1).tolist() == randomisation_tests(values, seed=1).tolist()


def test_sums_that_only_rounding_tells_apart_are_equal() -> None:
    """Every pattern of equal differences is a tie or nearer; the sums of the two methods' values are far from exact."""
    values = np.array([np.full(30, 0.1), np.full(30, 0.3)]) + np.random.default_rng(0).random(30) * 1e3
    assert randomisation_tests(values, permutations=100)[0, 1] == 1 / 101


def test_a_level_that_all_share_costs_no_digits() -> None:
    values = np.random.default_rng(1).integers(0, 64, (5, 40)) / 64  # exact at any of these sizes
    expected = randomisation_tests(values).tolist()
    assert randomisation_tests(values + 1e6).tolist() == expected
    assert randomisation_tests(values - 1e6).tolist() == expected


def test_false_alarms_come_as_often_as_they_should() -> None:
    chance = np.random.default_rng(0)
    values = chance.random((200, 40))
    found = randomisation_tests(values, 500)[np.triu_indices(200, 1)]
    assert 0.04 < np.mean(found < 0.05) < 0.06


def test_no_method_and_one_method() -> None:
    assert randomisation_tests(np.zeros((0, 3))).shape == (0, 0)
    assert randomisation_tests(np.zeros((1, 3))).tolist() == [[1.0]]


@pytest.mark.parametrize("values", [np.zeros((2, 0)), np.zeros(3), np.array([[np.nan], [0.1]])])
def test_values_that_cannot_be_compared_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ScoreError):
        randomisation_tests(values)

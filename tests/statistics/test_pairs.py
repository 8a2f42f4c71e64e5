"""All pairs at once, against the tests of one pair at a time."""

import itertools

import numpy as np
import pytest

from harness.errors import ScoreError
from harness.statistics.pairs import adjusted, bootstrap_intervals, differences, joined, scaled, t_tests
from harness.statistics.significance import bootstrap_interval, holm, rank_groups, t_test


def methods(seed: int, count: int = 12, queries: int = 60) -> np.ndarray:
    """Methods that share their queries' difficulty; some are equal, or nearly."""
    chance = np.random.default_rng(seed)
    values = chance.random(queries) + chance.normal(0, 0.1, (count, queries)) - np.linspace(0, 0.3, count)[:, None]
    values[3] = values[2]
    values[5] = values[4] + 1e-13 * chance.normal(size=queries)  # equal but for rounding
    values[7] = values[6] + 1e-7 * chance.normal(size=queries)  # nearly equal, and not by rounding
    values[9] = values[8] + 0.25  # the same difference everywhere
    return values


def one_by_one(values: np.ndarray) -> np.ndarray:
    ps = np.ones((len(values), len(values)))
    for a, b in itertools.combinations(range(len(values)), 2):
        ps[a, b] = ps[b, a] = t_test(values[a], values[b])
    return ps


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("queries", [2, 5, 60, 1000])
def test_t_tests_are_those_of_each_pair(seed: int, queries: int) -> None:
    values = methods(seed, queries=queries)
    found = t_tests(differences(values))
    assert found == pytest.approx(one_by_one(values), rel=1e-9, abs=1e-12)
    assert (found[2, 3], found[4, 5], found[8, 9]) == (1.0, 1.0, 0.0)
    assert found[6, 7] < 1.0


@pytest.mark.parametrize("level", [1e6, -1e6])
def test_a_level_that_all_share_costs_no_digits(level: float) -> None:
    chance = np.random.default_rng(1)
    values = level + chance.integers(0, 64, (6, 40)) / 64  # exact at this size
    assert t_tests(differences(values)) == pytest.approx(one_by_one(values), rel=1e-9)


def test_one_query_tells_nothing_apart() -> None:
    assert t_tests(differences(np.array([[0.1], [0.9]]))).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_no_method_and_one_method() -> None:
    assert adjusted(differences(np.zeros((0, 3)))).groups.tolist() == []
    assert adjusted(differences(np.zeros((1, 3)))).groups.tolist() == [1]


@pytest.mark.parametrize("seed", range(6))
def test_adjusted_ps_and_groups_are_those_of_the_slow_definition(seed: int) -> None:
    values = methods(seed, count=25)
    values = values[np.argsort(-values.mean(axis=1), kind="stable")]
    pairs = list(itertools.combinations(range(len(values)), 2))
    found = adjusted(differences(values))
    slow = holm([t_test(values[a], values[b]) for a, b in pairs])
    assert [found.p[pair] for pair in pairs] == pytest.approx(slow, rel=1e-9, abs=1e-12)
    assert (found.p == found.p.T).all()
    groups = rank_groups({f"{place:03}": row for place, row in enumerate(values)})
    assert len(groups) > 2
    assert found.groups.tolist() == [number for number, names in enumerate(groups, 1) for _ in names]


@pytest.mark.parametrize("seed", range(3))
def test_joined_differences_are_those_of_all_queries(seed: int) -> None:
    parts = [methods(seed + part, queries=queries) for part, queries in enumerate((7, 60, 200))]
    factors = [3.0, 0.5, 1.0]
    total = np.concatenate([part * factor for part, factor in zip(parts, factors, strict=True)], axis=1)
    first, *others = [scaled(differences(part), factor) for part, factor in zip(parts, factors, strict=True)]
    for other in others:
        first = joined(first, other)
    assert first.queries == 267
    assert t_tests(first) == pytest.approx(one_by_one(total), rel=1e-9, abs=1e-12)


def test_intervals_are_those_of_each_method() -> None:
    values = methods(2, queries=300)
    found = bootstrap_intervals(values, resamples=500, seed=4)
    for row, interval in zip(values, found, strict=True):
        assert tuple(interval) == pytest.approx(bootstrap_interval(row, resamples=500, seed=4), abs=1e-12)


@pytest.mark.parametrize("values", [np.zeros((2, 0)), np.zeros(3), np.array([[0.1, np.nan], [0.1, 0.2]])])
def test_what_cannot_be_tested_is_refused(values: np.ndarray) -> None:
    with pytest.raises(ScoreError):
        differences(values)

"""Tests of significance, by hand and against scipy."""

import numpy as np
import pytest
from scipy import stats

from harness.errors import ScoreError
from harness.statistics.compare import Comparison, compare
from harness.statistics.significance import (
    average_seeds,
    bootstrap_interval,
    holm,
    randomisation_test,
    rank_groups,
    t_test,
)


def pair(seed: int, queries: int, shift: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    a = chance.random(queries)
    return a, np.clip(a + chance.normal(shift, 0.2, queries), 0, 1)


def scipy_p(a: np.ndarray, b: np.ndarray, resamples: int = 9999) -> float:
    def mean_difference(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
        return np.mean(x - y, axis=axis)

    chance = np.random.default_rng(0)
    found = stats.permutation_test(
        (a, b), mean_difference, permutation_type="samples", n_resamples=resamples, vectorized=True, rng=chance
    )
    return found.pvalue


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("queries", [2, 7, 12])
def test_randomisation_counts_all_patterns_of_few_queries_as_scipy_does(queries: int, seed: int) -> None:
    a, b = pair(seed, queries)
    assert randomisation_test(a, b) == pytest.approx(scipy_p(a, b), abs=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.05])
def test_randomisation_of_many_queries_is_near_scipys(shift: float) -> None:
    a, b = pair(3, 200, shift)
    expected = scipy_p(a, b)
    error = np.sqrt(expected * (1 - expected) / 10_000) + 1e-4
    assert randomisation_test(a, b) == pytest.approx(expected, abs=6 * error)
    assert randomisation_test(a, b, seed=1) == randomisation_test(a, b, seed=1)


def test_randomisation_by_hand() -> None:
    # differences 1 2 3: of 8 sign patterns, +++ and --- are as extreme
    assert randomisation_test(np.array([1.0, 2, 3]), np.zeros(3)) == 2 / 8
    # a difference of 0 changes nothing
    assert randomisation_test(np.array([1.0, 2, 3, 5]), np.array([0.0, 0, 0, 5])) == 2 / 8
    # 0.1 + 0.2 - 0.3 is rounding, not a difference
    assert randomisation_test(np.array([0.1 + 0.2]), np.array([0.3])) == 1.0
    # the smallest p of random patterns: the observed one among 100 others
    assert randomisation_test(np.ones(100), np.zeros(100), permutations=100) == 1 / 101


def test_false_alarms_come_as_often_as_they_should() -> None:
    found = [randomisation_test(*pair(seed, 40, 0.0), permutations=500) for seed in range(300)]
    assert 0.02 < np.mean(np.array(found) < 0.05) < 0.09


@pytest.mark.parametrize("queries", [2, 30, 1000])
def test_t_test_equals_scipys(queries: int) -> None:
    a, b = pair(1, queries)
    assert t_test(a, b) == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-9)


def test_t_test_where_scipy_gives_nan_or_warns() -> None:
    a, _ = pair(1, 10)
    assert t_test(a, a) == 1.0
    assert t_test(np.array([0.3]), np.array([0.7])) == 1.0
    assert t_test(a + 0.25, a) == 0.0


def test_holm_by_hand() -> None:
    # sorted .01 .02 .03 .04, times 4 3 2 1: .04 .06 .06 .04 → never below the one before
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_bootstrap_interval_is_near_scipys_and_covers() -> None:
    values, _ = pair(2, 300)
    expected = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(0), batch=500)
    low, high = bootstrap_interval(values)
    assert (low, high) == pytest.approx(tuple(expected.confidence_interval), abs=0.002)
    assert bootstrap_interval(values, level=0.5)[0] > low
    covered = [bootstrap_interval(pair(seed, 50)[0], resamples=500, seed=seed) for seed in range(200)]
    assert 0.88 < np.mean([low <= 0.5 <= high for low, high in covered]) < 0.99


def test_seeds_are_replicates_not_queries() -> None:
    seeds = [np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.array([0.5, 0.4])]
    assert average_seeds(seeds).tolist() == pytest.approx([0.5, 0.8])
    with pytest.raises(ScoreError, match=r"\[2, 3\]"):
        average_seeds([np.zeros(2), np.zeros(3)])
    with pytest.raises(ScoreError):
        average_seeds([])


def test_rank_groups() -> None:
    chance = np.random.default_rng(0)
    queries = chance.random(200)
    values = {
        "worst": queries - 0.3 + chance.normal(0, 0.1, 200),
        "best": queries,
        "as good": queries + chance.normal(-0.005, 0.2, 200),
        "middle": queries - 0.1 + chance.normal(0, 0.1, 200),
    }
    assert rank_groups(values) == [["best", "as good"], ["middle"], ["worst"]]
    assert rank_groups(values, test=randomisation_test) == [["best", "as good"], ["middle"], ["worst"]]
    assert rank_groups({"only": queries}) == [["only"]]
    assert rank_groups({"b": queries, "a": queries}) == [["a", "b"]]


def test_rank_groups_correct_for_the_number_of_pairs() -> None:
    # one p of .03 is significant alone, but not as one of three
    values = {"a": np.array([0.9]), "b": np.array([0.6]), "c": np.array([0.5])}
    ps = iter([0.03, 0.03, 0.5])
    assert rank_groups(values, test=lambda x, y: next(ps)) == [["a", "b", "c"]]
    assert rank_groups({"a": values["a"], "b": values["b"]}, test=lambda x, y: 0.03) == [["a"], ["b"]]


def test_a_group_is_measured_against_its_best() -> None:
    """The second is like the first and the third, but first and third differ."""
    values = {name: np.array([mean]) for name, mean in (("a", 0.9), ("b", 0.8), ("c", 0.7))}
    assert rank_groups(values, test=lambda x, y: 0.01 if x[0] - y[0] > 0.15 else 0.5) == [["a", "b"], ["c"]]


def test_compare_by_hand() -> None:
    found = compare(np.array([0.5, 1.0, 0.25, 0.0]), np.array([0.5, 0.5, 0.5, 0.5]))
    assert (found.mean_a, found.mean_b, found.difference) == (0.4375, 0.5, -0.0625)
    assert (found.wins, found.ties, found.losses, found.queries) == (1, 1, 2, 4)
    # differences 0 .5 -.25 -.5 sum to -.25, and each of the 8 patterns of ±.5 ±.25 ±.5 is at least as far from 0
    assert found.p_randomisation == 1.0
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.p_t == pytest.approx(stats.ttest_rel([0.5, 1.0, 0.25, 0.0], [0.5] * 4).pvalue)


def test_compare_equal_methods() -> None:
    same = np.array([0.1, 0.2, 0.3])
    assert compare(same, same.copy()) == Comparison(
        mean_a=pytest.approx(0.2), mean_b=pytest.approx(0.2), difference=0.0, interval=(0.0, 0.0),
        p_randomisation=1.0, p_t=1.0, wins=0, ties=3, losses=0, queries=3,
    )  # fmt: skip


@pytest.mark.parametrize(("a", "b"), [([0.1], [0.1, 0.2]), ([], []), ([np.nan], [0.1]), ([[0.1]], [[0.1]])])
def test_values_that_cannot_be_compared_are_refused(a: list, b: list) -> None:
    with pytest.raises(ScoreError):
        compare(np.array(a), np.array(b))

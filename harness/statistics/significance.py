"""Whether a difference between two methods is more than chance, over the queries they were both scored on.

Seeds are replicates, not queries: average a method's seeds per query first (`average_seeds`), then test.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float64

from harness.errors import ScoreError

PerQuery = Float64[np.ndarray, " queries"]
BLOCK = 1 << 22
"""Random numbers held at a time."""
EQUAL = 1e-12
"""Values nearer than this are the same: what rounding makes of equal numbers."""


def average_seeds(values: Sequence[PerQuery]) -> PerQuery:
    """The mean over seeds of each query's value.

    Raises:
        ScoreError: no seed at all, or seeds scored on different numbers of queries.
    """
    if not len(values) or len({len(seed) for seed in values}) > 1:
        raise ScoreError(f"expected one array or more over the same queries, got lengths {list(map(len, values))}")
    return np.mean(values, axis=0)


def paired(a: PerQuery, b: PerQuery) -> PerQuery:
    """The differences a - b, query by query; those that only rounding made are 0.

    Raises:
        ScoreError: different numbers of queries, none, or values that are not finite.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise ScoreError(f"expected two values for each query, got arrays of shape {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ScoreError("expected finite values for each query, got NaN or infinity; score the runs again")
    difference = a - b
    return np.where(np.abs(difference) < EQUAL, 0.0, difference)


def matrix(values: Float64[np.ndarray, "methods queries"]) -> Float64[np.ndarray, "methods queries"]:
    """The values of several methods on the same queries, once it is certain that they can be tested.

    Args:
        values: one row a method, one column a query.

    Raises:
        ScoreError: no query, or values that are not finite.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or not values.shape[1]:
        raise ScoreError(f"expected a value for each method and query, got an array of shape {values.shape}")
    if not np.isfinite(values).all():
        raise ScoreError("expected finite values for each query, got NaN or infinity; score the runs again")
    return values


def randomisation_test(a: PerQuery, b: PerQuery, permutations: int = 10_000, seed: int = 0) -> float:
    """Two-sided p of Fisher's paired randomisation test on the mean difference.

    Under the null hypothesis each difference is as likely to have the other sign. All sign patterns are counted where
    there are at most `permutations` of them; otherwise random ones, with the observed pattern as one more.

    Args:
        a: one method's values.
        b: the other's, on the same queries.
        permutations: random sign patterns.
        seed: of the random patterns.

    Raises:
        ScoreError: see `paired`.
    """
    difference = paired(a, b)
    difference = difference[difference != 0]  # a sign changes nothing here
    if not len(difference):
        return 1.0
    observed = abs(difference.sum()) - EQUAL * len(difference)
    if 2 ** len(difference) <= permutations:
        patterns = np.array(list(itertools.product((1, -1), repeat=len(difference))), dtype=np.float64)
        return float(np.mean(np.abs(patterns @ difference) >= observed))
    chance = np.random.default_rng(seed)
    extreme = 0
    for size in blocks(permutations, len(difference)):
        flipped = chance.integers(0, 2, (size, len(difference)), dtype=np.int8)
        sums = difference.sum() - 2 * (flipped @ difference)
        extreme += int((np.abs(sums) >= observed).sum())
    return (extreme + 1) / (permutations + 1)


def t_test(a: PerQuery, b: PerQuery) -> float:
    """Two-sided p of Student's paired t-test; 1 where the methods are equal or there is only one query.

    Raises:
        ScoreError: see `paired`.
    """
    from scipy.special import stdtr

    difference = paired(a, b)
    queries = len(difference)
    if queries == 1 or not difference.any():
        return 1.0
    error = difference.std(ddof=1) / np.sqrt(queries)
    if error < EQUAL:  # the same difference everywhere
        return 0.0
    return float(2 * stdtr(queries - 1, -abs(difference.mean()) / error))


def holm(ps: Sequence[float]) -> list[float]:
    """The p values adjusted for several tests by Holm's step-down method, in the order given.

    Source: Holm, Scandinavian Journal of Statistics 1979.
    """
    return holm_adjusted(np.asarray(ps, np.float64)).tolist()


def holm_adjusted(ps: Float64[np.ndarray, " tests"]) -> Float64[np.ndarray, " tests"]:
    """`holm`, as arrays."""
    order = np.argsort(ps)
    adjusted = np.empty(len(ps))
    adjusted[order] = np.minimum(np.maximum.accumulate(ps[order] * np.arange(len(ps), 0, -1)), 1.0)
    return adjusted


def bootstrap_interval(
    values: PerQuery, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over queries.

    Args:
        values: one value a query, or one difference a query.
        level: how often the interval should cover the mean.
        resamples: samples drawn with replacement.
        seed: of the samples.
    """
    values = paired(values, np.zeros_like(values))
    chance = np.random.default_rng(seed)
    means = [
        values[chance.integers(0, len(values), (size, len(values)))].mean(axis=1)
        for size in blocks(resamples, len(values))
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def rank_groups(
    values: Mapping[str, PerQuery], alpha: float = 0.05, test: Callable[[PerQuery, PerQuery], float] = t_test
) -> list[list[str]]:
    """Methods in groups, best first, in which none differs significantly from the group's best.

    Methods are taken by descending mean; one that differs significantly from the best of the current group opens the
    next. p values are Holm-adjusted over all pairs. The t-test is the default since a randomisation test's smallest p,
    one over its permutations, is no longer significant after adjusting for many pairs.

    Args:
        values: one value a query, by method; average seeds first.
        alpha: significance level.
        test: (a, b) → p.
    """
    ranked = sorted(values, key=lambda name: (-float(np.mean(values[name])), name))
    pairs = list(itertools.combinations(ranked, 2))
    adjusted = dict(zip(pairs, holm([test(values[a], values[b]) for a, b in pairs]), strict=True))
    groups: list[list[str]] = []
    for name in ranked:
        if groups and adjusted[groups[-1][0], name] >= alpha:
            groups[-1].append(name)
        else:
            groups.append([name])
    return groups


def blocks(total: int, width: int) -> list[int]:
    """Sizes that add up to `total`, so that none needs more than `BLOCK` numbers of this width."""
    size = max(1, BLOCK // max(width, 1))
    return [min(size, total - start) for start in range(0, total, size)]

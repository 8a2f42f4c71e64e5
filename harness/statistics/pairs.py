"""Every two of many methods at once: the tests of `significance`, with matrix products in place of loops over pairs.

A task of 1,000 methods has half a million pairs. The sum of squares of the differences of two methods follows from the
inner products of all methods' values, and the resamples of a bootstrap are weights that all methods share.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from harness.statistics.significance import BLOCK, EQUAL, blocks, holm_adjusted, matrix

Values = Float64[np.ndarray, "methods queries"]
Square = Float64[np.ndarray, "methods methods"]
Pairs = Float64[np.ndarray, " pairs"]

CANCELLED = 1e-5
"""Of the methods' own sums of squares: below it, that of their difference is computed from the differences, since
subtraction has left too few of its digits."""

NOTHING = 1e-13
"""Adjusted p values below it are 0: most pairs of a large board, and nobody sees by how much."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Differences:
    """What a paired t-test asks of every two methods; row less column."""

    queries: int
    """Number of queries."""
    mean: Square
    """Mean over queries of the difference."""
    squares: Square
    """Sum over queries of the squared deviations of the difference from its mean."""


class Adjusted(NamedTuple):
    """Every two methods compared."""

    p: Square
    """Two-sided p of the paired t-test, adjusted after Holm over all pairs, 0 below `NOTHING`; 1 on the diagonal."""
    groups: Int64[np.ndarray, " methods"]
    """Rank group of each method, from 1; methods come in the order of the ranking, best first."""


def differences(values: Values) -> Differences:
    """Of every two methods; differences that only rounding made are 0.

    Args:
        values: one row a method, one column a query.

    Raises:
        ScoreError: no query, or values that are not finite.
    """
    values = matrix(values)
    level = values - values.mean(axis=0) if len(values) else values  # what all share makes no difference
    means = level.mean(axis=1)
    level -= means[:, None]
    products = level @ level.T
    own = np.diag(products)
    squares = own[:, None] + own[None, :] - 2 * products
    mean = means[:, None] - means[None, :]
    _recompute(values, mean, squares, squares <= CANCELLED * (own[:, None] + own[None, :]))
    return Differences(queries=values.shape[1], mean=mean, squares=squares)


def _recompute(values: Values, mean: Square, squares: Square, where: np.ndarray) -> None:
    """Mean and squares of these pairs, from the differences themselves."""
    first, second = np.nonzero(np.triu(where, 1))
    done = 0
    for size in blocks(len(first), values.shape[1]):
        a, b = first[done : done + size], second[done : done + size]
        apart = values[a] - values[b]
        apart[np.abs(apart) < EQUAL] = 0.0
        middle = apart.mean(axis=1)
        mean[a, b], mean[b, a] = middle, -middle
        squares[a, b] = squares[b, a] = ((apart - middle[:, None]) ** 2).sum(axis=1)
        done += size


def scaled(found: Differences, factor: float) -> Differences:
    """The same with every value multiplied."""
    return Differences(queries=found.queries, mean=found.mean * factor, squares=found.squares * factor**2)


def joined(one: Differences, other: Differences) -> Differences:
    """The same methods over the queries of both; only what is not negative is added, so that no digit is lost.

    Source: Chan, Golub, LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979.
    """
    queries = one.queries + other.queries
    step = other.mean - one.mean
    return Differences(
        queries=queries,
        mean=one.mean + step * (other.queries / queries),
        squares=one.squares + other.squares + step**2 * (one.queries * other.queries / queries),
    )


def t_tests(found: Differences) -> Square:
    """Two-sided p of Student's paired t-test of every two methods, as `significance.t_test` gives it."""
    upper = np.triu_indices(len(found.mean), 1)
    ps = np.ones(found.mean.shape)
    ps[upper] = ps.T[upper] = _p_values(found.mean[upper], found.squares[upper], found.queries)
    return ps


def _p_values(mean: Pairs, squares: Pairs, queries: int, smallest: float = 0.0) -> Pairs:
    """Of pairs; those below `smallest` are not computed but 0."""
    from scipy.special import stdtr, stdtrit

    if queries == 1:
        return np.ones(len(mean))
    error = np.sqrt(squares / (queries - 1) / queries)
    sure = error < EQUAL  # the same difference everywhere
    t = np.abs(mean) / np.where(sure, 1.0, error)
    least = -stdtrit(queries - 1, smallest / 2) if smallest > 0 else np.inf
    computed = ~sure & (t < least)
    p = np.zeros(len(mean))
    p[computed] = 2 * stdtr(queries - 1, -t[computed])
    p[(mean == 0) & (squares == 0)] = 1.0
    return p


def adjusted(found: Differences, alpha: float = 0.05) -> Adjusted:
    """Holm over all pairs, and the rank groups that follow, as `significance.rank_groups` makes them.

    Args:
        found: of the methods in the order of the ranking, best first.
        alpha: significance level.
    """
    upper = np.triu_indices(len(found.mean), 1)
    smallest = NOTHING / max(len(upper[0]), 1)
    ps = np.ones(found.mean.shape)
    ps[upper] = holm_adjusted(_p_values(found.mean[upper], found.squares[upper], found.queries, smallest))
    ps.T[upper] = ps[upper]
    return Adjusted(p=ps, groups=_groups(ps, alpha))


def _groups(ps: Square, alpha: float) -> Int64[np.ndarray, " methods"]:
    """One that differs significantly from the best of the current group opens the next."""
    groups = np.zeros(len(ps), np.int64)
    best, number = 0, 0
    while best < len(ps):
        number += 1
        apart = np.nonzero(ps[best, best:] < alpha)[0]
        end = best + int(apart[0]) if len(apart) else len(ps)
        groups[best:end] = number
        best = end
    return groups


def bootstrap_intervals(
    values: Values, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Float64[np.ndarray, "methods 2"]:
    """Percentile bootstrap interval of each method's mean: that of `significance.bootstrap_interval`, to rounding.

    All methods share their resamples, so that each resample is a weight for each query.
    """
    means = np.empty((len(values), resamples))
    done = 0
    for weights in _weights(values.shape[1], resamples, seed):
        means[:, done : done + len(weights)] = values @ weights.T
        done += len(weights)
    return np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=1, overwrite_input=True).T


def _weights(queries: int, resamples: int, seed: int) -> Iterable[Float64[np.ndarray, "resamples queries"]]:
    """How much of each resample is of each query, in blocks of resamples; those of one block are kept for the next."""
    few = queries * resamples <= BLOCK
    return _kept_weights(queries, resamples, seed) if few else _drawn_weights(queries, resamples, seed)


@lru_cache(maxsize=2)
def _kept_weights(queries: int, resamples: int, seed: int) -> list[Float64[np.ndarray, "resamples queries"]]:
    return list(_drawn_weights(queries, resamples, seed))


def _drawn_weights(queries: int, resamples: int, seed: int) -> Iterator[Float64[np.ndarray, "resamples queries"]]:
    chance = np.random.default_rng(seed)
    for size in blocks(resamples, queries):
        drawn = chance.integers(0, queries, (size, queries)) + np.arange(size)[:, None] * queries
        times = np.bincount(drawn.ravel(), minlength=size * queries).reshape(size, queries)
        yield times / queries

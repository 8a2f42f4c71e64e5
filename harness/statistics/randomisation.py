"""Fisher's randomisation test of every two of many methods: sign patterns that all pairs share, and a matrix product.

The signed sum of a pair's differences is the difference of the two methods' own signed sums. So each block of patterns
times all values serves every pair, whose sums are then subtractions.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64, Int64

from harness.statistics.significance import EQUAL, blocks, matrix, randomisation_test

Values = Float64[np.ndarray, "methods queries"]
Square = Float64[np.ndarray, "methods methods"]


def randomisation_tests(values: Values, permutations: int = 10_000, seed: int = 0) -> Square:
    """Two-sided p of every two methods, 1 on the diagonal; see `significance.randomisation_test`.

    A pair without equal values gets exactly the p of that function, which draws its patterns over the queries on which
    two methods differ; another pair gets that of other patterns. Few enough queries on which two differ are counted
    through.

    Args:
        values: one row a method, one column a query; average seeds first.
        permutations: random sign patterns.
        seed: of the patterns.

    Raises:
        ScoreError: no query, or values that are not finite.
    """
    values = matrix(values)
    ps = np.ones((len(values), len(values)))
    extreme = _extreme(values - values.mean(axis=0) if len(values) else values, permutations, seed)
    few = _differing(values) < np.log2(permutations + 1)
    for a, b in zip(*np.triu_indices(len(values), 1), strict=True):
        counted = randomisation_test(values[a], values[b], permutations) if few[a, b] else None
        ps[a, b] = ps[b, a] = (extreme[a, b] + 1) / (permutations + 1) if counted is None else counted
    return ps


def _extreme(level: Values, permutations: int, seed: int) -> Int64[np.ndarray, "methods methods"]:
    """How many patterns leave each pair (row above column) at least as far apart as it was observed to be."""
    methods, queries = level.shape
    sums = level.sum(axis=1)
    found = np.zeros((methods, methods), np.int64)
    for flipped in _patterns(queries, permutations, seed):
        signed = sums[:, None] - 2 * (level @ flipped.T)
        for method in range(methods - 1):
            observed = np.abs(sums[method] - sums[method + 1 :]) - EQUAL * queries
            found[method, method + 1 :] += _reach(signed[method], signed[method + 1 :], observed)
    return found


def _reach(
    one: Float64[np.ndarray, " patterns"],
    others: Float64[np.ndarray, "others patterns"],
    observed: Float64[np.ndarray, " others"],
) -> Int64[np.ndarray, " others"]:
    """In how many patterns each other sum lies so far from the one."""
    return np.count_nonzero(np.abs(others - one) >= observed[:, None], axis=1)


def _patterns(queries: int, permutations: int, seed: int) -> Iterator[Float64[np.ndarray, "patterns queries"]]:
    """1 where a sign is flipped, else 0; drawn as `randomisation_test` draws them."""
    chance = np.random.default_rng(seed)
    for size in blocks(permutations, queries):
        yield chance.integers(0, 2, (size, queries), dtype=np.int8).astype(np.float64)


def _differing(values: Values) -> Int64[np.ndarray, "methods methods"]:
    """On how many queries two methods differ by more than rounding."""
    found = np.zeros((len(values), len(values)), np.int64)
    for method, line in enumerate(values):
        found[method] = np.count_nonzero(np.abs(values - line) >= EQUAL, axis=1)
    return found

"""Randomisation tests of every two of 40 methods, beside ranx's and scipy's, which take a pair at a time."""

from collections.abc import Iterator
from itertools import combinations, islice
from typing import Any

import numpy as np
from ranx.statistical_tests import fisher_randomization_test
from scipy import stats

from benchmarks.measure import Row, in_turn, main
from harness.statistics.randomisation import randomisation_tests

METHODS, QUERIES, PERMUTATIONS = 40, 1000, 10_000
PAIRS = METHODS * (METHODS - 1) // 2
ASKED = 4
"""Pairs that a peer is timed on."""
WORK = f"randomisation tests of {PAIRS} pairs of {METHODS} methods, {PERMUTATIONS:,} patterns, {QUERIES:,} queries"
NOTE = f"The peer is timed on {ASKED} pairs, its seconds times {PAIRS // ASKED}: every pair costs it the same."


def values() -> np.ndarray:
    """Methods that share their queries' difficulty, on the scale of a measure; the best and the worst differ by .04."""
    chance = np.random.default_rng(0)
    found = chance.random(QUERIES) + chance.normal(0, 0.2, (METHODS, QUERIES))
    return found - np.linspace(0, 0.04, METHODS)[:, None]


def rows(runs: int) -> Iterator[Row]:
    given = values()
    asked = list(islice(combinations(range(METHODS), 2), ASKED))
    mine = randomisation_tests(given, PERMUTATIONS)
    for name, test in (("ranx", _ranx), ("scipy.stats.permutation_test", _scipy)):
        found = [test(given[a], given[b]) for a, b in asked]  # numba compiles here
        pairs = in_turn(
            lambda: randomisation_tests(given, PERMUTATIONS),
            lambda test=test: [test(given[a], given[b]) for a, b in asked],
            runs,
        )
        apart = max(abs(mine[pair] - p) for pair, p in zip(asked, found, strict=True))
        yield Row(
            work=WORK,
            peer_name=name,
            runs=tuple((ours, peer * PAIRS / ASKED) for ours, peer in pairs),
            goal=20,
            mode="fp64",
            found={"largest difference of a p value": apart, "expected by chance": _by_chance(mine, asked)},
            note=NOTE,
        )


def _by_chance(ps: np.ndarray, pairs: list[tuple[int, int]]) -> float:
    """Three standard errors of the difference of two estimates of a p value, the largest of these pairs."""
    return float(max(3 * np.sqrt(2 * ps[pair] * (1 - ps[pair]) / PERMUTATIONS) for pair in pairs))


def _ranx(a: np.ndarray, b: np.ndarray) -> float:
    return fisher_randomization_test(a, b, n_permutations=PERMUTATIONS)[0]


def _scipy(a: np.ndarray, b: np.ndarray) -> float:
    """As scipy's documentation has a paired test: a vectorised statistic, samples swapped within pairs."""
    found = stats.permutation_test(
        (a, b),
        _mean_difference,
        permutation_type="samples",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        rng=np.random.default_rng(0),
    )
    return found.pvalue


def _mean_difference(a: np.ndarray, b: np.ndarray, axis: int) -> Any:
    return np.mean(a - b, axis=axis)


if __name__ == "__main__":
    main(rows)

"""Two methods on the same queries: how far apart they are, and how sure that is."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from harness.statistics.significance import bootstrap_interval, paired, randomisation_test, t_test


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Method a against method b under one measure."""

    mean_a: float
    """Mean over queries of the first method."""
    mean_b: float
    """Mean over queries of the second."""
    difference: float
    """mean_a - mean_b."""
    interval: tuple[float, float]
    """95 % bootstrap interval of the difference."""
    p_randomisation: float
    """Two-sided p of the paired randomisation test, for this measure alone."""
    p_t: float
    """Two-sided p of the paired t-test, for this measure alone."""
    wins: int
    """Queries on which the first is better."""
    ties: int
    """Queries on which both are equal."""
    losses: int
    """Queries on which the second is better."""
    queries: int
    """Number of queries."""


def compare(
    a: Float64[np.ndarray, " queries"], b: Float64[np.ndarray, " queries"], samples: int = 10_000, seed: int = 0
) -> Comparison:
    """Compare the values of two methods.

    Args:
        a: the first method's values, averaged over its seeds.
        b: the second's, on the same queries in the same order.
        samples: random sign patterns of the test, and resamples of the interval.
        seed: of both.

    Raises:
        ScoreError: the arrays differ in length, are empty, or hold NaN or infinity.
    """
    difference = paired(a, b)
    return Comparison(
        mean_a=float(np.mean(a)),
        mean_b=float(np.mean(b)),
        difference=float(difference.mean()),
        interval=bootstrap_interval(difference, resamples=samples, seed=seed),
        p_randomisation=randomisation_test(a, b, samples, seed),
        p_t=t_test(a, b),
        wins=int((difference > 0).sum()),
        ties=int((difference == 0).sum()),
        losses=int((difference < 0).sum()),
        queries=len(difference),
    )

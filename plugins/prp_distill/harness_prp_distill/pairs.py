"""Which pairs of a ranked list the teacher is asked about.

Source: Wu et al. 2025 study samplers that favour highly ranked documents; these formulas are our reading of them.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int64

Pairs = Int64[np.ndarray, "pairs 2"]
"""Positions (i, j) in the list, i < j, each pair once, in ascending order."""

Weights = Float64[np.ndarray, " pairs"]
Sampler = Callable[[int, float, np.random.Generator], Pairs]


def count(documents: int, rate: float) -> int:
    """How many pairs of a list are a share `rate` of all: at least one, at most all."""
    every = documents * (documents - 1) // 2
    return min(every, max(1, round(rate * every)))


def uniform(documents: int, rate: float, rng: np.random.Generator) -> Pairs:
    """Pairs drawn without replacement, each as likely as any other.

    Args:
        documents: length of the list.
        rate: share of all pairs.
        rng: all chance comes from it.
    """
    return _drawn(documents, rate, rng, lambda best, worst: np.ones(len(best)))


def rank_weighted(documents: int, rate: float, rng: np.random.Generator) -> Pairs:
    """Pairs with a document near the top are likelier: p(i, j) ∝ 1/rᵢ + 1/rⱼ; see `uniform`."""
    return _drawn(documents, rate, rng, lambda best, worst: 1 / best + 1 / worst)


def rank_diff(documents: int, rate: float, rng: np.random.Generator) -> Pairs:
    """Pairs of a top document with one far below are likelier: p(i, j) ∝ |1/rᵢ - 1/rⱼ|; see `uniform`."""
    return _drawn(documents, rate, rng, lambda best, worst: 1 / best - 1 / worst)


SAMPLERS: dict[str, Sampler] = {"uniform": uniform, "rank-weighted": rank_weighted, "rank-diff": rank_diff}
"""By the names that options give them."""


def _drawn(
    documents: int, rate: float, rng: np.random.Generator, weigh: Callable[[Weights, Weights], Weights]
) -> Pairs:
    """Pairs drawn one after another, each by its weight among those left; ranks are counted from 1."""
    every = np.stack(np.triu_indices(documents, 1), axis=1).astype(np.int64)
    if not len(every):
        return every
    weights = weigh(*(every.T + 1.0))
    drawn = rng.choice(len(every), size=count(documents, rate), replace=False, p=weights / weights.sum())
    return every[np.sort(drawn)]

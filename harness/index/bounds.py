"""How far a fast product of a query and a document may lie from their score (see `harness.index.dots`)."""

from typing import Any, NamedTuple, cast

import numpy as np
from jaxtyping import Float32, Float64

from harness.errors import ScoreError

SINGLE = 2.0**-24
"""Largest relative error of rounding to float32."""
TINY = 2.0**-126
"""Smallest normal number of float32 and bfloat16: what is smaller may have been taken as 0."""
LARGEST = 2.0**125
"""Longest vector, and largest product of two lengths: even twice as much can't overflow in a sum in float32."""


def lengths(vectors: Float32[np.ndarray, "vectors dim"]) -> Float64[np.ndarray, " vectors"]:
    """Upper bounds of Euclidean lengths, at most 0.1 % above them where they are not tiny.

    Raises:
        ScoreError: a vector has a component that is no finite number, or is too long to be multiplied in float32.
    """
    squares: Float64[np.ndarray, " vectors"] = np.einsum("ij,ij->i", vectors, vectors).astype(np.float64)
    if not np.isfinite(squares).all():  # beyond float32, though perhaps not in float64
        squares = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    longest = roots(squares, vectors.shape[1])
    if not (longest < 2 * LARGEST).all():
        raise ScoreError(
            f"expected vectors of finite length, got one of length {longest.max():g}; a score would be no number: look "
            "for NaN and infinity in what the model returns"
        )
    return longest


def roots(squares: Float64[np.ndarray, " vectors"], dim: int) -> Float64[np.ndarray, " vectors"]:
    """Upper bounds of lengths whose squares were summed in float32."""
    return np.sqrt((squares + dim * TINY) / (1 - 2 * dim * SINGLE))


def longest(vectors: Float32[np.ndarray, "vectors dim"]) -> float:
    """An upper bound of the length of the longest; 0 where there is none."""
    return cast(Any, lengths(vectors)).max(initial=0.0)


def check(query: Float64[np.ndarray, " queries"], document: float) -> None:
    """Refuse lengths of vectors whose dot products might be too large for float32.

    Raises:
        ScoreError: they are.
    """
    if document >= LARGEST or (query * document >= LARGEST).any():
        raise ScoreError(
            f"expected vectors whose lengths multiply to less than 2**125, got {query.max():g} and {document:g}; "
            "normalise them"
        )


class Rounded(NamedTuple):
    """What is known of vectors v̂ that stand for vectors v."""

    length: Float64[np.ndarray, " vectors"] | float
    """‖v‖, or more."""
    lost: Float64[np.ndarray, " vectors"] | float = 0.0
    """‖v − v̂‖, or more."""


def error(query: Rounded, document: Rounded, dim: int) -> Float64[np.ndarray, " queries"]:
    """How far q̂·d̂, summed in float32 in any order, may lie from the score of q and d.

    By Cauchy–Schwarz, |q̂·d̂ − q·d| = |(q̂ − q)·d̂ + q·(d̂ − d)| ≤ ‖q − q̂‖‖d̂‖ + ‖q‖‖d − d̂‖. The sum is off by
    γ‖q̂‖‖d̂‖ at most, with γ = m·2⁻²⁴ / (1 − m·2⁻²⁴) and m = 2·dim roundings. The score itself is off by 2⁻²⁴‖q‖‖d‖;
    twice that is allowed for, which covers what is computed in float64 with these bounds. The last term is for numbers
    below `TINY`, which processors may take as 0: 2·dim of them as inputs, each multiplied by a component of the other
    vector, and 2·dim as products and sums.

    Args:
        query: of each query.
        document: of the longest document.
        dim: components of a vector.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1.
    """
    length = query.length + query.lost, document.length + document.lost
    steps = 2 * dim * SINGLE
    rounding = query.lost * length[1] + query.length * document.lost
    summing = steps / (1 - steps) * length[0] * length[1] + 2 * SINGLE * query.length * document.length
    return np.asarray(rounding + summing + 4 * dim * TINY * (1 + length[0] + length[1]))

"""A teacher's scores as probabilities of relevance."""

from typing import Literal

import numpy as np
from jaxtyping import Float32

from harness.errors import SignalError
from harness.nn.taught import between_percentiles

Grades = Float32[np.ndarray, "queries docs"]


def grades(scores: Grades, normalise: Literal["minmax", "sigmoid", "none"], *, coarse: bool = False) -> Grades:
    """Grades between 0 and 1.

    Args:
        scores: the teacher's, of the whole training pool.
        normalise: `minmax` maps the pool's percentiles 1 and 99 to 0 and 1 and cuts off beyond them; `sigmoid` takes
            scores for log-odds; `none` takes them as they are.
        coarse: round them.

    Raises:
        SignalError: nothing to tell apart for `minmax`; a score that is no probability for `none`.
    """
    found = {"minmax": between_percentiles, "sigmoid": _sigmoid, "none": _as_they_are}[normalise](scores)
    return (found >= 0.5).astype(np.float32) if coarse else found.astype(np.float32)


def _sigmoid(scores: Grades) -> np.ndarray:
    return 0.5 * (1 + np.tanh(scores / 2))  # as 1 / (1 + exp(-s)), without overflow


def _as_they_are(scores: Grades) -> np.ndarray:
    if scores.min() < 0 or scores.max() > 1:
        raise SignalError(
            f"normalise=none: expected a teacher that scores from 0 to 1, got {scores.min()} to {scores.max()}; "
            "use minmax or sigmoid"
        )
    return scores

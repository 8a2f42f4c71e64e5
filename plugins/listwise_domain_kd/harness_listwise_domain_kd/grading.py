"""A teacher's scores as grades between 0 and 1, and which documents they show to be no negatives."""

import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from torch import Tensor

from harness.errors import SignalError


def normalised(
    scores: Float32[np.ndarray, "queries docs"], low: float = 1.0, high: float = 99.0
) -> Float32[np.ndarray, "queries docs"]:
    """Scores so that two percentiles of the whole pool become 0 and 1, cut off beyond them.

    Raises:
        SignalError: both are the same.

    Source: Tamber et al., 2025, section on filtering.
    """
    least, most = np.percentile(scores, [low, high])
    if least == most:
        raise SignalError(
            f"percentiles {low} and {high} of the teacher's {scores.size} scores are both {least}; expected a teacher "
            "that tells documents apart, or other percentiles"
        )
    return np.clip((scores - least) / (most - least), 0, 1).astype(np.float32)


def likely_positives(
    rows: Int[Tensor, "queries docs"], grades: Float[Tensor, "queries docs"], threshold: float
) -> Bool[Tensor, "queries all_docs"]:
    """Documents of the batch that are each query's positive, or in its own list with a grade near the best.

    Args:
        rows: which documents they are, the positive in column 0.
        grades: the teacher's, from 0 to 1.
        threshold: share of the list's best grade; above 1 only the positive itself is found, wherever it stands.
    """
    likely = grades > threshold * grades.amax(dim=1, keepdim=True)
    likely[:, 0] = True
    same = rows.unsqueeze(2) == rows.flatten()  # [query, place in its list, document of the batch]
    return (same & likely.unsqueeze(2)).any(dim=1)

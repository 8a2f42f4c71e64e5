"""Losses over single (query, document) pairs."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional


def graded_bce(
    scores: Float[Tensor, "queries docs"],
    grades: Float[Tensor, "queries docs"],
    *,
    scale: float | Tensor = 1.0,
    bias: float | Tensor = 0.0,
    mask: Bool[Tensor, "queries docs"] | None = None,
) -> Float[Tensor, ""]:
    """Binary cross-entropy of each pair against a graded target in [0, 1].

    Args:
        scores: student scores.
        grades: relevance as a probability; 0 for in-batch negatives.
        scale: multiplies the scores (an inverse temperature); may be learnt.
        bias: added to them; may be learnt.
        mask: pairs that count.

    Raises:
        ValueError: a grade outside [0, 1], or no pair that counts.

    Source: BiXSE (arXiv:2508.06781), with the logit scale and bias of SigLIP, Zhai et al., ICCV 2023.
    """
    if not bool(((grades >= 0) & (grades <= 1)).all()):
        raise ValueError(f"grades must lie in [0, 1], got {float(grades.min())} to {float(grades.max())}")
    losses = functional.binary_cross_entropy_with_logits(scale * scores + bias, grades, reduction="none")
    counted = losses if mask is None else losses[mask]
    if counted.numel() == 0:
        raise ValueError("no pair counts in this batch; expected at least one")
    return torch.mean(counted)

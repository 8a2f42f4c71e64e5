"""How losses leave candidates out."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def masked(
    scores: Float[Tensor, "queries candidates"], mask: Bool[Tensor, "queries candidates"] | None
) -> Float[Tensor, "queries candidates"]:
    """Scores with -inf where the mask is False: after a softmax exactly 0, with no gradient.

    Raises:
        ValueError: if a query has no candidate left.
    """
    if mask is None:
        return scores
    if not bool(mask.any(dim=1).all()):
        raise ValueError(f"query {int((~mask.any(dim=1)).nonzero()[0, 0])} of the batch has no unmasked candidate")
    return scores.masked_fill(~mask, -torch.inf)

"""The order of valid hard negatives by contrast: which negatives these are, and the loss."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from harness.nn.losses import plackett_luce

Chosen = Bool[Tensor, "queries docs"]


def valid_negatives(
    scores: Float[Tensor, "queries docs"],
    teacher: Float[Tensor, "queries docs"],
    *,
    negatives: Chosen,
    asked: Chosen,
    hard: int,
    valid: int,
) -> Chosen:
    """The negatives whose order is learnt: of the student's nearest those that the teacher likes best.

    Args:
        scores: student scores.
        teacher: teacher scores where it was asked; their order only is used.
        negatives: who may be a negative of the query.
        asked: what the teacher has scored.
        hard: how many of the student's nearest.
        valid: how many of these at most.
    """
    near = _best(scores, negatives, hard)
    return _best(teacher, near & asked, valid)


def rank_by_contrast(
    scores: Float[Tensor, "queries docs"], teacher: Float[Tensor, "queries docs"], valid: Chosen, easy: Chosen
) -> Float[Tensor, ""]:
    """Each valid negative is a positive against the valid ones below it and the easy ones; a mean over them.

    That is the Plackett-Luce likelihood of the teacher's order, as far as it is valid; a query without a valid negative
    counts 0.

    Args:
        scores: student scores over the temperature.
        teacher: teacher scores of the valid negatives.
        valid: whose order counts.
        easy: what comes after all of them, in no order.

    Source: Chen et al., CVPR 2024; the division by the number of valid negatives is our reading of it.
    """
    order = teacher.masked_fill(~valid, -torch.inf).argsort(dim=1, descending=True, stable=True)
    # Among what isn't valid the easy ones come first, and what is neither last.
    order = order.gather(1, (~(valid | easy)).gather(1, order).int().argsort(dim=1, stable=True))
    counts = valid.sum(dim=1)
    total = scores.sum() * 0.0
    for count in counts.unique().tolist():
        if count:
            own = counts == count
            likelihood = plackett_luce(scores[own], order[own], mask=(valid | easy)[own], top=count)
            total = total + likelihood * own.sum() / count
    return total / len(scores)


def _best(scores: Float[Tensor, "queries docs"], among: Chosen, count: int) -> Chosen:
    """The `count` best of these, or all where there are fewer; of equal ones the first."""
    order = scores.detach().masked_fill(~among, -torch.inf).argsort(dim=1, descending=True, stable=True)
    first = torch.arange(scores.shape[1], device=scores.device) < count
    return torch.zeros_like(among).scatter(1, order, first.expand_as(among)) & among

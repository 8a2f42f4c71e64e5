"""The losses that the paper compares, between a student's scores and the reciprocal ranks of the teacher's order."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from harness.nn.losses import cross_entropy, graded_bce, info_nce, ranknet
from harness_rankgpt import LossName

LEAST = 1e-12
"""Below it a mean square is taken for this, since the root has no gradient at 0."""

Lists = Float[Tensor, "queries docs"]


def permutation_loss(
    name: LossName, scores: Lists, targets: Lists, *, bias: float = 0.0, temperature: float = 1.0, mu: float = 10.0
) -> Float[Tensor, ""]:
    """One of the losses; mean over queries, or over all pairs.

    Args:
        name: which.
        scores: the student's.
        targets: 1 / rank in the teacher's order.
        bias: added to the scores, where a constant makes a difference: rmse and bce.
        temperature: of the targets' softmax in listnet.
        mu: see `lambda_loss`.

    Source: Sun et al., EMNLP 2023, section 4.
    """
    match name:
        case "ranknet":
            return ranknet(scores, targets)
        case "listnet":
            return cross_entropy(scores, targets, teacher_temperature=temperature)
        case "lambda":
            return lambda_loss(scores, targets, mu=mu)
        case "rmse":
            return root_mean_square(scores + bias, targets)
        case "bce":
            return graded_bce(scores, targets, bias=bias)
        case "softmax":
            return info_nce(scores, targets.argmax(dim=1))


def root_mean_square(scores: Lists, targets: Lists) -> Float[Tensor, ""]:
    """Root of the mean squared error of each list."""
    return (scores - targets).pow(2).mean(dim=1).clamp(min=LEAST).sqrt().mean()


def lambda_loss(scores: Lists, targets: Lists, *, mu: float) -> Float[Tensor, ""]:
    """Logistic loss of every ordered pair, weighted by what swapping its documents would cost in nDCG.

    With the student's ranks r, D(r) = log₂(1 + r) and gains G = (2^y − 1) / maxDCG, the weight of i above j is
    (|1/D(rᵢ) − 1/D(rⱼ)| + μ |1/D(|rᵢ − rⱼ|) − 1/D(|rᵢ − rⱼ| + 1)|) |Gᵢ − Gⱼ|.

    Source: Wang et al., CIKM 2018, NDCG-Loss2++; μ = 0 is LambdaRank.
    """
    higher = targets.unsqueeze(2) > targets.unsqueeze(1)  # [q, i, j]: i above j
    losses = functional.softplus(scores.unsqueeze(1) - scores.unsqueeze(2))
    return (swaps(scores.detach(), targets, mu) * losses)[higher].mean()


def swaps(scores: Lists, targets: Lists, mu: float) -> Float[Tensor, "queries docs docs"]:
    """The weights of all pairs."""
    gains = torch.exp2(targets) - 1
    best = (gains.sort(dim=1, descending=True).values / _discount(torch.arange(1, gains.shape[1] + 1).to(gains))).sum(1)
    gained = _differences(gains / best.unsqueeze(1))
    ranks = scores.argsort(dim=1, descending=True, stable=True).argsort(dim=1) + 1.0
    apart = _differences(ranks).clamp(min=1)
    return (_differences(1 / _discount(ranks)) + mu * (1 / _discount(apart) - 1 / _discount(apart + 1))) * gained


def _discount(ranks: Tensor) -> Tensor:
    return torch.log2(1 + ranks)


def _differences(values: Tensor) -> Tensor:
    return (values.unsqueeze(2) - values.unsqueeze(1)).abs()

"""Regularisers that make vectors over a vocabulary sparse."""

from jaxtyping import Float
from torch import Tensor


def flops(weights: Float[Tensor, "texts vocab"]) -> Float[Tensor, ""]:
    """Sum over terms of the squared mean weight: the expected number of multiplications of a search.

    Source: Paria et al., ICLR 2020 (arXiv:2004.05665); in retrieval Formal et al., SIGIR 2021.
    """
    return weights.abs().mean(dim=0).pow(2).sum()


def grouped_flops(weights: Float[Tensor, "queries docs vocab"]) -> Float[Tensor, ""]:
    """Sum of `flops` over the columns of the lists: first documents, second documents, … each on their own.

    Documents of one list are alike; averaged together they would look like a term that many documents have.

    Source: Geng et al., 2024 (arXiv:2411.04403); the sum over columns is that of their released code.
    """
    return weights.abs().mean(dim=0).pow(2).sum()


def l1(weights: Float[Tensor, "texts vocab"]) -> Float[Tensor, ""]:
    """Mean over texts of the sum of absolute weights."""
    return weights.abs().sum(dim=1).mean()


def ramp(step: int, steps: int, target: float) -> float:
    """Weight of a regulariser that grows quadratically to `target` over `steps` and stays there.

    Source: Formal et al., 2021 (arXiv:2109.10086).
    """
    return target * min(1.0, (step / steps) ** 2) if steps else target

"""InfoNCE in its forms: in-batch, hard negatives, symmetric, extended denominators, false negatives masked."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from harness.nn.losses.masking import masked


def info_nce(
    scores: Float[Tensor, "queries candidates"],
    positives: Int[Tensor, " queries"],
    *,
    temperature: float = 1.0,
    mask: Bool[Tensor, "queries candidates"] | None = None,
    more: Float[Tensor, "queries others"] | None = None,
    symmetric: bool = False,
) -> Float[Tensor, ""]:
    """Cross-entropy of the positive among all candidates.

    Args:
        scores: student scores; in-batch negatives are the other queries' documents, hard negatives further columns.
        positives: column of each query's positive.
        temperature: scores are divided by it.
        mask: candidates that count; False for false negatives. The positive always counts.
        more: further scores in the denominator only (query-query, document-document: the extended denominator of GTE);
            -inf where one does not count.
        symmetric: average with the cross-entropy of the right query among all queries, for each positive document.

    Source: van den Oord et al., 2018 (arXiv:1807.03748); with in-batch negatives Karpukhin et al., EMNLP
    2020; extended denominators Li et al., 2023 (arXiv:2308.03281).
    """
    rows = torch.arange(len(scores), device=scores.device)
    logits = scores / temperature
    if mask is not None:
        counts = mask.clone()
        counts[rows, positives] = True
        logits = masked(logits, counts)
    wide = logits if more is None else torch.cat([logits, more / temperature], dim=1)
    loss = functional.cross_entropy(wide, positives)
    if not symmetric:
        return loss
    back = logits[:, positives].T  # row i: all queries' scores for the positive of query i
    return (loss + functional.cross_entropy(back, rows)) / 2

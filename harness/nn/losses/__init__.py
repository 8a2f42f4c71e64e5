"""Losses that three methods or more share: one home each, over score matrices, with the paper each comes from.

Every function returns the mean over the batch as a scalar. A mask is True where a candidate counts; what is
masked is -inf before a softmax or maximum, never multiplied by 0.
"""

from harness.nn.losses.contrastive import info_nce
from harness.nn.losses.listwise import cross_entropy, kl, plackett_luce
from harness.nn.losses.pairwise import list_margin_mse, margin_mse, pairwise_bce, ranknet
from harness.nn.losses.pointwise import graded_bce
from harness.nn.losses.representation import cosine, mse, relation
from harness.nn.losses.sparsity import flops, grouped_flops, l1, ramp

__all__ = [
    "cosine",
    "cross_entropy",
    "flops",
    "graded_bce",
    "grouped_flops",
    "info_nce",
    "kl",
    "l1",
    "list_margin_mse",
    "margin_mse",
    "mse",
    "pairwise_bce",
    "plackett_luce",
    "ramp",
    "ranknet",
    "relation",
]

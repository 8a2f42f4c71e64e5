"""The largest logit of each vocabulary term over the tokens of a text, without holding the logits of all tokens."""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

LOGITS = 1 << 25
"""Logits held at once (128 MB in fp32)."""


def max_logits(
    hidden: Float[Tensor, "texts tokens dim"],
    weight: Float[Tensor, "vocab dim"],
    bias: Float[Tensor, " vocab"],
    mask: Bool[Tensor, "texts tokens"],
) -> Float[Tensor, "texts vocab"]:
    """Max over tokens of hidden · weight + bias; the first token must count.

    The gradient goes to the one token that holds the maximum, as it does through `torch.max`; terms without a gradient
    (those that a ReLU cuts off) cost nothing.
    """
    return _MaxLogits.apply(hidden, weight, bias, mask)  # pyright: ignore[reportReturnType]


class _MaxLogits(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor, mask: Tensor) -> Tensor:
        texts, tokens, _ = hidden.shape
        found = hidden.new_empty(texts, len(weight))
        holders = torch.empty(texts, len(weight), dtype=torch.int32, device=hidden.device)
        size = max(1, LOGITS // (tokens * len(weight)))
        weights = weight.to(hidden.dtype)
        padded = torch.where(mask.unsqueeze(2), hidden, hidden[:, :1])  # a token that counts, again: changes no maximum
        for start in range(0, texts, size):
            part = slice(start, start + size)
            logits = weights @ padded[part].transpose(1, 2).contiguous()  # terms × tokens: the maximum is of neighbours
            found[part], place = logits.max(dim=2)
            holders[part] = place.int()
        ctx.save_for_backward(hidden, weight, holders)
        return found.to(bias.dtype) + bias

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, holders = ctx.saved_tensors
        (gradient,) = gradients
        text, term = gradient.nonzero(as_tuple=True)
        values = gradient[text, term].unsqueeze(1)
        rows = text * hidden.shape[1] + holders[text, term].long()
        flat = hidden.reshape(-1, hidden.shape[2])
        to_hidden = torch.zeros_like(flat).index_add_(0, rows, values.to(flat.dtype) * weight[term].to(flat.dtype))
        to_weight = torch.zeros_like(weight).index_add_(0, term, values.to(weight.dtype) * flat[rows].to(weight.dtype))
        return to_hidden.view_as(hidden), to_weight, gradient.sum(dim=0), None

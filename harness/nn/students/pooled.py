"""The largest logit of each vocabulary term over the tokens of a text, without holding the logits of all tokens."""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

LOGITS = 1 << 25
"""Logits held at once (128 MB in fp32) on an accelerator."""
TILE = 1 << 10
"""Tokens, and terms, whose logits are held at once on a CPU: its cache keeps these 4 MB until the maximum is found."""


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
        weights = weight.to(hidden.dtype)
        padded = torch.where(mask.unsqueeze(2), hidden, hidden[:, :1])  # a token that counts, again: changes no maximum
        high, wide = _tile(tokens, len(weight), hidden.device.type)
        for text in range(0, texts, high):
            part = slice(text, text + high)
            read = padded[part].flatten(0, 1).T.contiguous()
            for term in range(0, len(weight), wide):
                terms = slice(term, term + wide)
                logits = (weights[terms] @ read).unflatten(1, (-1, tokens))  # the maximum is of neighbours in memory
                best, place = logits.max(dim=2)
                found[part, terms], holders[part, terms] = best.T, place.T.int()
        ctx.save_for_backward(hidden, weight, holders, mask)
        return found.to(bias.dtype) + bias

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, holders, mask = ctx.saved_tensors
        (gradient,) = gradients
        text, term = gradient.nonzero(as_tuple=True)
        values = gradient[text, term].unsqueeze(1)
        held = holders[text, term].long()
        held = held.where(mask[text, held], 0)  # products of equal vectors may differ: the copy is the first token
        rows = text * hidden.shape[1] + held
        flat = hidden.reshape(-1, hidden.shape[2])
        to_hidden = torch.zeros_like(flat).index_add_(0, rows, values.to(flat.dtype) * weight[term].to(flat.dtype))
        to_weight = torch.zeros_like(weight).index_add_(0, term, values.to(weight.dtype) * flat[rows].to(weight.dtype))
        return to_hidden.view_as(hidden), to_weight, gradient.sum(dim=0), None


def _tile(tokens: int, terms: int, kind: str) -> tuple[int, int]:
    """How many texts and how many terms are multiplied together, on a device of this kind."""
    if kind == "cpu":
        return max(1, TILE // tokens), TILE
    return max(1, LOGITS // (terms * tokens)), terms

"""Linear layers whose weights lie as oneDNN reads them, for as long as texts are being encoded.

A processor multiplies small batches faster with weights in blocks than in rows. torch has private operators for it,
which its compiler uses; where they are missing or give other results, layers compute as ever. Which of both it is never
depends on a clock, so that the same texts have the same vectors, to the last bit, in every process.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

ROWS = 1024
"""Rows of the matrices that will be multiplied, which oneDNN plans for."""
NEAR = {torch.float32: 1e-5, torch.bfloat16: 2e-2}
"""How far results of a packed layer may lie from a plain one's, relative to the largest."""


@contextmanager
def packed(model: nn.Module, dtype: torch.dtype = torch.float32) -> Generator[None]:
    """Inside, the model's linear layers multiply with packed copies of their weights, in numbers of this type.

    Nothing of the model is replaced: a layer is only told to compute otherwise, and that ends with the context.
    """
    layers = [layer for layer in model.modules() if _is_plain(layer)] if works(dtype) else []
    try:
        for layer in layers:
            layer.forward = _packed(layer, dtype)
        yield
    finally:
        for layer in layers:
            vars(layer).pop("forward", None)


@cache
def works(dtype: torch.dtype) -> bool:
    """Whether torch's operators are here and agree with a plain layer."""
    if not torch.backends.mkldnn.is_available():
        return False
    layer = nn.utils.skip_init(nn.Linear, 48, 80)
    with torch.inference_mode():
        for parameter in layer.parameters():
            parameter.copy_(torch.arange(parameter.numel()).view_as(parameter).sin())
        rows = torch.arange(3.0 * 7 * 48).view(3, 7, 48).cos()
        try:
            found = _packed(layer, dtype)(rows).float()
        except (AttributeError, RuntimeError, TypeError):  # another torch, whose private operators are others
            return False
        plain = layer(rows)
        return bool((found - plain).abs().max() <= NEAR[dtype] * plain.abs().max())


def _is_plain(layer: nn.Module) -> Any:
    """A linear layer and nothing else, of whose forward pass nobody else has taken hold."""
    if type(layer) is not nn.Linear or "forward" in vars(layer):
        return False
    return layer.weight.dtype == torch.float32 and layer.weight.device.type == "cpu"


def _packed(layer: Any, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    operators: Any = torch.ops.mkldnn
    weight = operators._reorder_linear_weight(layer.weight.detach().to(dtype), ROWS)
    bias = None if layer.bias is None else layer.bias.detach().to(dtype)

    def forward(rows: Tensor) -> Tensor:
        return operators._linear_pointwise(rows.to(dtype), weight, bias, "none", [], "")

    return forward

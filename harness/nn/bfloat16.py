"""Matrices multiplied in bfloat16, on a device that can and on a processor that can't.

A product in bfloat16 is one of rounded factors, summed in float32 and rounded at the end. A processor without
instructions for it does the same by way of float32, between roundings, in little more time than float32 takes; what
torch does there takes five times as long and more. The two differ in the order of sums alone.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

ATEN: Any = torch.ops.aten
PRODUCTS = {
    ATEN.linear.default,
    ATEN.matmul.default,
    ATEN.mm.default,
    ATEN.addmm.default,
    ATEN.bmm.default,
    ATEN.baddbmm.default,
    ATEN.scaled_dot_product_attention.default,
    ATEN._scaled_dot_product_flash_attention_for_cpu.default,
    ATEN._scaled_dot_product_flash_attention_for_cpu_backward.default,
}
"""What multiplies matrices in transformers, and in their gradients."""
WITH_STATISTICS = ATEN._scaled_dot_product_flash_attention_for_cpu.default
"""Gives the logarithm of its sums as well, in float32 whatever its inputs are."""


@cache
def multiplies(kind: str) -> bool:
    """Whether devices of this kind, as torch names it, multiply bfloat16 themselves."""
    if kind == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    if kind != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    capabilities: Callable[[], dict[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
    return any(capabilities().get(name) for name in ("avx512_bf16", "amx_bf16", "arm_bf16"))


@contextmanager
def autocast(kind: str, enabled: bool = True) -> Generator[None]:
    """Torch's autocast to bfloat16 on devices of this kind; nothing unless it is enabled."""
    with torch.autocast(kind, torch.bfloat16, enabled=enabled), helped(kind, enabled):
        yield


@contextmanager
def helped(kind: str, enabled: bool = True) -> Generator[None]:
    """Inside, products in bfloat16 go through float32 where they must; for gradients too, in the thread that asks."""
    if enabled and kind == "cpu" and not multiplies("cpu") and torch.backends.cpu.get_cpu_capability() != "AVX512":
        with ThroughFloat32():
            yield
    else:  # with AVX-512, oneDNN goes the same way by itself
        yield


class ThroughFloat32(TorchDispatchMode):
    """Products in bfloat16 by way of float32."""

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Widen what a product is made of, and round what it gives."""
        kwargs = kwargs or {}
        if func not in PRODUCTS or args[0].dtype != torch.bfloat16:
            return func(*args, **kwargs)
        wide_args, wide_kwargs = tree_map_only(Tensor, _wide, (tuple(args), dict(kwargs)))
        found = func(*wide_args, **wide_kwargs)
        if func is WITH_STATISTICS:
            return _narrow(found[0]), *found[1:]
        return tree_map_only(Tensor, _narrow, found)


def _wide(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype == torch.bfloat16 else tensor


def _narrow(tensor: Tensor) -> Tensor:
    return tensor.bfloat16()

"""Scores in fp32, whatever the precision of what makes them: bfloat16 has 8 bits, in which near scores tie."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn


@contextmanager
def exact(*parts: Tensor) -> Generator[list[Tensor]]:
    """Vectors in fp32, and what is done with them too."""
    with torch.autocast(parts[0].device.type, enabled=False):
        yield [part.to(torch.promote_types(part.dtype, torch.float32)) for part in parts]


def own_products(
    queries: Float[Tensor, "queries dim"], documents: Float[Tensor, "queries docs dim"]
) -> Float[Tensor, "queries docs"]:
    """Dot products of each query with its own list."""
    with exact(queries, documents) as (ours, theirs):
        return torch.einsum("qd,qnd->qn", ours, theirs)


def all_products(
    queries: Float[Tensor, "queries dim"], documents: Float[Tensor, "all_docs dim"]
) -> Float[Tensor, "queries all_docs"]:
    """Dot products of each query with each document."""
    with exact(queries, documents) as (ours, theirs):
        return ours @ theirs.T


def keep_output_exact(model: nn.Module) -> None:
    """Let layers with one output multiply in fp32."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear) and layer.out_features == 1:
            layer.forward = partial(_exactly, layer.forward)  # pyright: ignore[reportAttributeAccessIssue]


def _exactly(forward: Callable[[Tensor], Tensor], states: Tensor) -> Tensor:
    with exact(states) as (wide,):
        return forward(wide)

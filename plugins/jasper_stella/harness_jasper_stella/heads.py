"""The student without a head, its heads, and which of all parameters learn."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from sentence_transformers.sentence_transformer.modules import Dense
from torch import Tensor, nn

from harness.contracts import Context, Role
from harness.nn.cut import LAYER
from harness.nn.students.dense import DenseStudent

FULL = "full"
"""The head to the teacher's dimension; the others are named by their lengths."""


class Headless(DenseStudent):
    """Encoder and pooling; a head is put on it once it has learnt."""

    def __init__(self, checkpoint: str, context: Context, max_length: int) -> None:
        """Take the checkpoint's own normalisation off, in front of which a linear layer would see directions only."""
        super().__init__(checkpoint, context, max_length)
        while type(self.model[-1]).__name__ == "Normalize":
            del self.model[-1]
        self.model.similarity_fn_name = "cosine"  # the losses see directions only

    def forward(self, texts: Sequence[str], role: Role) -> Float[Tensor, "texts dim"]:
        """The pooled vectors of one batch."""
        return self.model(self.features(texts, role), **self.routing(role))["sentence_embedding"]

    def heads(self, width: int, short: Iterable[int]) -> nn.ModuleDict:
        """Linear heads, drawn from the seed: the full one of this width, and short ones."""
        dims = {FULL: width, **{str(dim): dim for dim in short}}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.context.seed)
            own = self.model.get_embedding_dimension()
            made = {name: Dense(own, dim, activation_function=nn.Identity()) for name, dim in dims.items()}
        return nn.ModuleDict(made).to(self.device)


def frozen(model: nn.Module, last: int | None, short: bool) -> tuple[str, ...]:
    """Names of the parameters that don't learn.

    Args:
        model: student and heads, in parts of these names.
        last: how many of the encoder's last layers learn; None: all of it.
        short: whether short heads do.
    """
    names = [name for name, _ in model.named_parameters()]
    numbers = [int(found["number"]) for name in names if (found := LAYER.fullmatch(name))]
    first = max(numbers, default=-1) + 1 - (last or 0)

    def learns(name: str) -> bool:
        if name.startswith("heads."):
            return short or name.startswith(f"heads.{FULL}.")
        layer: Any = LAYER.fullmatch(name)
        return last is None or (layer is not None and int(layer["number"]) >= first)

    return tuple(name for name in names if not learns(name))

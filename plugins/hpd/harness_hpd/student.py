"""A student with a projection on its pooled vectors."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from sentence_transformers.sentence_transformer.modules import Dense
from torch import Tensor, nn

from harness.contracts import Context, Role
from harness.nn.students.dense import DenseStudent


class Projected(DenseStudent):
    """Encoder, pooling, linear layer, tanh: an ordinary sentence-transformers model."""

    def __init__(self, checkpoint: str, context: Context, max_length: int, dim: int, tanh: bool) -> None:
        """Put a new layer, drawn from the seed, on the checkpoint."""
        super().__init__(checkpoint, context, max_length)
        while type(self.model[-1]).__name__ == "Normalize":
            del self.model[-1]
        width = self.model.get_embedding_dimension()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(context.seed)
            layer = Dense(width, dim, activation_function=nn.Tanh() if tanh else nn.Identity())
        self.model.append(layer.to(self.device))

    @property
    def head(self) -> str:
        """What the names of the new layer's parameters start with."""
        return f"{len(self.model) - 1}."

    def forward(self, texts: Sequence[str], role: Role) -> Float[Tensor, "texts dim"]:
        """The vectors of one batch at their own length, also where the retriever will compare directions only."""
        return self.model(self.features(texts, role), **self.routing(role))["sentence_embedding"]

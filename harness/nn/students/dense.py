"""A single-vector student."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from harness.contracts import Role
from harness.index.dense import DenseIndex
from harness.nn.encoders import DenseEncoder
from harness.nn.retriever import Encoder, Index
from harness.nn.students.student import Student


class DenseStudent(Student):
    """One vector a text; the score is the dot product, of unit vectors where the checkpoint says cosine."""

    family = "dense"

    def forward(self, texts: Sequence[str], role: Role) -> Float[Tensor, "texts dim"]:
        """The vectors of one batch."""
        features = self.features(texts, role)
        vectors: Tensor = self.model(features, **self.routing(role))["sentence_embedding"]
        if self.model.similarity_fn_name == "cosine":
            vectors = torch.nn.functional.normalize(vectors, dim=1)
        return vectors

    def routing(self, role: Role) -> dict[str, Any]:
        """Options of the model's forward pass, where queries and documents have towers of their own."""
        return {"task": role} if any(type(module).__name__ == "Router" for module in self.model) else {}

    def reading(self, role: Role) -> dict[str, Any]:
        """As `routing`: each tower may have a tokeniser of its own."""
        return self.routing(role)

    def searched(self) -> tuple[Callable[..., Encoder], type[Index]]:
        """Exact search by dot product."""
        return DenseEncoder, DenseIndex.on(*self.context.all_devices)

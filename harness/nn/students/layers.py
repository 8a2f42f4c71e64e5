"""A single-vector student that also shows what it thinks on the way: a vector of each layer."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from harness.contracts import Role
from harness.errors import CheckpointError
from harness.nn.exact import exact
from harness.nn.students.dense import DenseStudent


class Layered(NamedTuple):
    """What a text becomes."""

    vectors: Float[Tensor, "texts dim"]
    """As the retriever will compare them."""
    layers: Float[Tensor, "texts layers width"]
    """The state after each layer of the transformer, the embedding layer left out, pooled as the last one is."""


class LayeredStudent(DenseStudent):
    """A `DenseStudent`, in one pass with the layers of what it embedded last, with gradients."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """See `Student`.

        Raises:
            CheckpointError: it isn't one transformer with one pooling.
        """
        super().__init__(*args, **options)
        poolings = [module for module in self.model if type(module).__name__ == "Pooling"]
        if len(poolings) != 1:
            kinds = ", ".join(type(module).__name__ for module in self.model)
            raise CheckpointError(f"expected one transformer and one pooling, got {kinds}; take another student")
        self._pooling: Any = poolings[0]
        self.layers: dict[Role, Float[Tensor, "texts layers width"]] = {}
        """Of the texts that were embedded last in each role; unit vectors where those of the model are."""

    def embed(self, texts: Sequence[str], role: Role) -> Float[Tensor, "texts dim"]:
        """The vectors; the layers are kept."""
        found: Layered = super().embed(texts, role)
        self.layers[role] = found.layers
        return found.vectors

    def forward(self, texts: Sequence[str], role: Role) -> Any:
        """The vectors of one batch, and of its layers."""
        features, config = self.features(texts, role), self.model.transformers_model.config
        before, config.output_hidden_states = config.output_hidden_states, True
        try:
            found = self.model(features, **self.routing(role))
        finally:
            config.output_hidden_states = before  # it would be saved with the model
        states = found["all_layer_embeddings"][1:]
        pooled = [self._pooling({**found, "token_embeddings": state})["sentence_embedding"] for state in states]
        vectors, layers = found["sentence_embedding"], torch.stack(pooled, dim=1)
        if self.model.similarity_fn_name == "cosine":
            vectors, layers = (torch.nn.functional.normalize(part, dim=-1) for part in (vectors, layers))
        return Layered(vectors, layers)

    def gather(self, encoded: Sequence[Layered], rows: Sequence[int]) -> Layered:
        """These rows of the batches put one after the other."""
        wanted = torch.tensor(rows, device=self.device)
        return Layered(*(torch.cat(parts)[wanted] for parts in zip(*encoded, strict=True)))

    def layer_scores(self) -> Float[Tensor, "queries docs layers"]:
        """Dot products of each query with its own list, layer by layer, of what was embedded last."""
        queries, documents = self.layers["query"], self.layers["document"]
        lists = documents.view(len(queries), -1, *documents.shape[1:])
        with exact(queries, lists) as (ours, theirs):
            return torch.einsum("qld,qnld->qnl", ours, theirs)

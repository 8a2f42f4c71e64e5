"""A sparse student without a model for queries: a query's terms are its tokens, their weights stand in a table."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from harness.contracts import Role
from harness.errors import CheckpointError
from harness.nn.loading import sentence_transformers
from harness.nn.students.sparse import SparseStudent

TABLE = "0.sub_modules.query"
"""Prefix of the table among the names of the parameters, for `frozen` and `rates` of a stage."""


class LookupStudent(SparseStudent):
    """Documents are encoded as SPLADE does; a query has the weight of the table at each of its tokens, 0 elsewhere.

    What is saved is an ordinary SparseEncoder: a Router with a SparseStaticEmbedding for queries. Such a checkpoint is
    taken as it is, with its table; another gets a table of ones.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        """See `Student`.

        Raises:
            CheckpointError: no masked language model with max pooling for documents, a query side that is more than a
                table, or a tokeniser of another vocabulary than the model's.
        """
        super().__init__(*args, **options)
        if not _is_routed(self.model):
            self.model = _with_table(self.model)
            self.weigh(torch.ones_like(self.table))
        tower: Any = self.model[0].sub_modules["query"]
        found = [(type(module).__name__, len(getattr(module, "weight", ()))) for module in tower]
        if found != [("SparseStaticEmbedding", self.vocabulary)]:
            raise CheckpointError(
                f"expected queries from a SparseStaticEmbedding over the model's {self.vocabulary} terms, got {found}; "
                "take another student"
            )

    @property
    def pooling(self) -> Any:
        """That of the documents' side."""
        return (self.model[0].sub_modules["document"] if _is_routed(self.model) else self.model)[-1]

    @property
    def vocabulary(self) -> int:
        """How many terms there are."""
        assert self.head is not None, "checked when it was made"
        return len(self.head[1].weight)

    @property
    def table(self) -> nn.Parameter:
        """The weight of each term in a query."""
        return self.model[0].sub_modules["query"][0].weight

    @property
    def tokenizer(self) -> Any:
        """The queries' tokeniser."""
        return self.model[0].sub_modules["query"][0].tokenizer

    def weigh(self, weights: Float[Tensor, " vocab"]) -> None:
        """Fill the table; marks such as [UNK] and [SEP] stay without weight."""
        with torch.no_grad():
            self.table.copy_(weights)
            self.table[self.tokenizer.all_special_ids] = 0.0

    def forward(self, texts: Sequence[str], role: Role) -> Float[Tensor, "texts vocab"]:
        """Weights of documents as SPLADE's; of queries, without a forward pass, those of the table, none below 0."""
        if role == "document":
            return super().forward(texts, role)
        tower: Any = self.model[0].sub_modules["query"][0]
        return tower(self.features(texts, role))["sentence_embedding"].relu()

    def reading(self, role: Role) -> dict[str, Any]:
        """Queries have a tokeniser of their own, which adds no marks."""
        return {"task": role}


def _is_routed(model: Any) -> bool:
    return type(model[0]).__name__ == "Router"


def _with_table(model: Any) -> Any:
    """The same model for documents, and a table for queries."""
    library = sentence_transformers()
    from sentence_transformers.base.modules import Router
    from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding

    table = SparseStaticEmbedding(copy.deepcopy(model.tokenizer), frozen=True)
    router = Router.for_query_document(query_modules=[table], document_modules=list(model))
    kept = {"device": str(model.device), "prompts": model.prompts, "similarity_fn_name": "dot"}
    return library.SparseEncoder(modules=[router], **kept).eval()

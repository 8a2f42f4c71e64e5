"""A late-interaction student: a vector a token, each query token looks for its nearest document token."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from harness.contracts import Role
from harness.index.multivector import MultiVectorIndex
from harness.nn.encoders import MultiVectorEncoder
from harness.nn.exact import exact
from harness.nn.retriever import Encoder, Index
from harness.nn.students.student import Student


class Tokens(NamedTuple):
    """The vectors of the tokens of texts, padded."""

    vectors: Float[Tensor, "texts tokens dim"]
    """One a token."""
    mask: Bool[Tensor, "texts tokens"]
    """Which of them count."""


class LateStudent(Student):
    """A vector a token; the score is the sum over query tokens of the largest dot product with a document token."""

    family = "multi-vector"

    def forward(self, texts: Sequence[str], role: Role) -> Tokens:
        """The token vectors of one batch."""
        found = self.model(self.features(texts, role), task=role)
        return Tokens(found["token_embeddings"], found["attention_mask"].bool())

    def reading(self, role: Role) -> dict[str, Any]:
        """Prefixes and lengths of queries and documents differ."""
        return {"task": role}

    def gather(self, encoded: Sequence[Tokens], rows: Sequence[int]) -> Tokens:
        """These rows of the batches put one after the other, padded to the longest."""
        longest = max(part.vectors.shape[1] for part in encoded)
        wanted = torch.tensor(rows, device=self.device)
        vectors = [
            torch.nn.functional.pad(part.vectors, (0, 0, 0, longest - part.vectors.shape[1])) for part in encoded
        ]
        masks = [torch.nn.functional.pad(part.mask, (0, longest - part.mask.shape[1])) for part in encoded]
        return Tokens(torch.cat(vectors)[wanted], torch.cat(masks)[wanted])

    def lists(self, queries: Tokens, documents: Tokens) -> Float[Tensor, "queries docs"]:
        """Late interaction of each query with its own list."""
        count = len(queries.vectors)
        own = Tokens(*(part.view(count, -1, *part.shape[1:]) for part in documents))
        with exact(queries.vectors, own.vectors) as (ours, theirs):
            found = torch.einsum("qtd,qnsd->qnts", ours, theirs)
        return _interact(found, own.mask.unsqueeze(2), queries.mask.unsqueeze(1))

    def matrix(self, queries: Tokens, documents: Tokens) -> Float[Tensor, "queries all_docs"]:
        """Late interaction of each query with each document."""
        with exact(queries.vectors, documents.vectors) as (ours, theirs):
            found = torch.einsum("qtd,nsd->qnts", ours, theirs)
        return _interact(found, documents.mask.unsqueeze(0).unsqueeze(2), queries.mask.unsqueeze(1))

    def searched(self) -> tuple[Callable[..., Encoder], type[Index]]:
        """Exact late interaction."""
        return MultiVectorEncoder, MultiVectorIndex


def _interact(
    similarities: Float[Tensor, "queries docs query_tokens tokens"],
    documents: Bool[Tensor, "a b 1 tokens"],
    queries: Bool[Tensor, "queries 1 query_tokens"],
) -> Float[Tensor, "queries docs"]:
    """Maximum over document tokens that count, summed over query tokens that count.

    Source: Khattab and Zaharia, 2020 (arXiv:2004.12832), equation 3.
    """
    nearest = similarities.masked_fill(~documents, -torch.inf).amax(dim=3)
    return nearest.masked_fill(~queries, 0.0).sum(dim=2)

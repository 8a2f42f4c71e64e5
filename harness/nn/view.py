"""What a loss sees of a batch of candidate lists."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from harness.errors import ContractError
from harness.nn.exact import all_products, own_products
from harness.nn.students import LateStudent, Tokens
from harness.records import Query


@dataclass(frozen=True, kw_only=True)
class View:
    """A batch; column 0 of a list is the positive. Of documents of all lists, one list stands after the other."""

    query_vectors: Float[Tensor, "queries dim"]
    """The student's; weights over the vocabulary, where it is a sparse one."""
    document_vectors: Float[Tensor, "queries docs dim"]
    """The student's, list by list."""
    rows: Int[Tensor, "queries docs"]
    """Which documents they are."""
    teacher: Float[Tensor, "queries docs"] | None
    """The teacher's scores of the lists, where it was asked."""
    relevant: Bool[Tensor, "queries all_docs"]
    """Which of all documents of the batch are judged relevant for a query."""
    teacher_all: Float[Tensor, "queries all_docs"] | None = None
    """The teacher's scores of each query with all documents of the batch, where it was asked for those."""
    positions: tuple[int, ...] = ()
    """Which lists they are, for whatever a method keeps beside them."""
    queries: tuple[Query, ...] = ()
    """The queries."""
    texts: tuple[str, ...] = ()
    """What the student read of all documents."""
    step: int = 0
    """The optimiser step of the stage, from 0."""

    @cached_property
    def scores(self) -> Float[Tensor, "queries docs"]:
        """Of each query with its own list."""
        return own_products(self.query_vectors, self.document_vectors)

    @cached_property
    def all_scores(self) -> Float[Tensor, "queries all_docs"]:
        """Of each query with the documents of all lists: in-batch negatives."""
        return all_products(self.query_vectors, self.document_vectors.flatten(0, 1))

    @cached_property
    def positives(self) -> Int[Tensor, " queries"]:
        """Column of each query's positive in `all_scores`."""
        queries, docs = self.rows.shape
        return torch.arange(queries, device=self.rows.device) * docs

    @cached_property
    def first(self) -> Int[Tensor, " queries"]:
        """Column of each query's positive in `scores`."""
        return torch.zeros(len(self.rows), dtype=torch.long, device=self.rows.device)

    @cached_property
    def candidates(self) -> Bool[Tensor, "queries all_docs"]:
        """Which documents may stand in a query's softmax: its positive, and all that are not judged relevant to it."""
        return ~self.relevant | self.own_positive

    @cached_property
    def own_positive(self) -> Bool[Tensor, "queries all_docs"]:
        """The column of each query's positive."""
        columns = torch.arange(self.rows.numel(), device=self.rows.device)
        return columns == self.positives.unsqueeze(1)

    @cached_property
    def own_list(self) -> Bool[Tensor, "queries all_docs"]:
        """The columns of each query's own list."""
        queries, docs = self.rows.shape
        owner = torch.arange(queries, device=self.rows.device).repeat_interleave(docs)
        return owner == torch.arange(queries, device=self.rows.device).unsqueeze(1)


@dataclass(frozen=True, kw_only=True)
class LateView(View):
    """A batch of a late-interaction student: its vectors are of tokens."""

    student: LateStudent
    """Compares them."""
    query_tokens: Tokens
    """Of the queries."""
    document_tokens: Tokens
    """Of all documents."""

    @cached_property
    def scores(self) -> Float[Tensor, "queries docs"]:
        """Late interaction of each query with its own list."""
        return self.student.lists(self.query_tokens, self.document_tokens)

    @cached_property
    def all_scores(self) -> Float[Tensor, "queries all_docs"]:
        """Late interaction of each query with all documents."""
        return self.student.matrix(self.query_tokens, self.document_tokens)


@dataclass(frozen=True, kw_only=True)
class PairView(View):
    """A batch of a cross-encoder student, which has no vectors."""

    pair_scores: Float[Tensor, "queries docs"]
    """Of each query with its own list."""

    @cached_property
    def scores(self) -> Float[Tensor, "queries docs"]:
        """Of each query with its own list."""
        return self.pair_scores

    @cached_property
    def all_scores(self) -> Float[Tensor, "queries all_docs"]:
        """There are none: each pair would have to be read.

        Raises:
            ContractError: always.
        """
        raise ContractError("a cross-encoder scores its own lists only; expected a loss without in-batch negatives")

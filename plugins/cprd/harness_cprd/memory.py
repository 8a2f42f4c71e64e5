"""Documents of earlier batches as further negatives, embedded by a slow copy of the student.

All that it remembers are buffers of a module, so that a checkpoint keeps them and a resumed training is exact.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from harness.nn.exact import all_products
from harness.nn.students import Student
from harness.nn.view import View

EMPTY = -1
"""The row of a place that holds no document yet."""


class Others(NamedTuple):
    """Remembered documents, for the queries of a batch."""

    scores: Float[Tensor, "queries others"]
    """Of each query with each document."""
    counted: Bool[Tensor, "queries others"]
    """Which are negatives of a query: neither judged relevant to it nor in its list."""


class Memory(nn.Module):
    """The last documents seen, oldest replaced first.

    Source: queue and momentum encoder of He et al., CVPR 2020 (arXiv:1911.05722), in ALBEF, which the paper builds on.
    """

    def __init__(self, slow: Student, size: int, share: float, relevant: Mapping[str, tuple[int, ...]]) -> None:
        """Remember nothing yet.

        Args:
            slow: a student with the weights that the learning one begins with.
            size: how many documents are kept.
            share: of the slow student's weights that stay in a step.
            relevant: rows of the documents that are judged relevant, by id of query.
        """
        super().__init__()
        self.encoder, self._embed, self._share, self._relevant = slow.model, slow.embed, share, relevant
        self.vectors: Tensor
        self.rows: Int[Tensor, " size"]
        self.seen: Int[Tensor, ""]
        self.step: Int[Tensor, ""]
        self.register_buffer("vectors", torch.zeros(size, slow.model.get_embedding_dimension()))
        self.register_buffer("rows", torch.full((size,), EMPTY))
        self.register_buffer("seen", torch.tensor(0))
        self.register_buffer("step", torch.tensor(0))

    @torch.no_grad()
    def follow(self, model: nn.Module, step: int) -> None:
        """Move a little towards the student; once in an optimiser step, however many batches it has."""
        if step != int(self.step):
            for slow, quick in zip(self.encoder.parameters(), model.parameters(), strict=True):
                slow.lerp_(quick, 1 - self._share)
            self.step.fill_(step)

    def others(self, view: View) -> Others:
        """What is remembered, for this batch."""
        held = self.rows != EMPTY
        rows = self.rows[held]
        known = [[*self._relevant[query.id], *own] for query, own in zip(view.queries, view.rows.tolist(), strict=True)]
        counted = [~torch.isin(rows, torch.tensor(its, device=rows.device)) for its in known]
        return Others(all_products(view.query_vectors, self.vectors[held]), torch.stack(counted))

    @torch.no_grad()
    def add(self, view: View) -> None:
        """Remember the documents of this batch."""
        size = len(self.rows)
        found = self._embed(view.texts, "document")[-size:]
        places = (int(self.seen) + torch.arange(len(found), device=self.rows.device)) % size
        self.vectors[places] = found.to(self.vectors.dtype)
        self.rows[places] = view.rows.flatten()[-size:].long()
        self.seen += len(found)

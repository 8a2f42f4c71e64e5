"""The losses between a batch of the student's vectors and the teachers'."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from harness.nn.exact import all_products
from harness.nn.losses import cosine, relation

Pairs = Int[Tensor, "2 pairs"]
"""Rows i < j of a batch of texts."""


def order(student: Float[Tensor, " pairs"], teacher: Float[Tensor, " pairs"], margin: float) -> Float[Tensor, ""]:
    """Mean over pairs of pairs of max(0, s_low − s_high + margin), 0 where the teacher ranks neither higher.

    Args:
        student: similarities of pairs of texts.
        teacher: the same; only their order counts.
        margin: by how much the higher one must be higher.

    Source: the resim loss of Jasper and Stella (arXiv:2412.19048).
    """
    above = teacher.unsqueeze(1) > teacher.unsqueeze(0)
    hinge = functional.relu(student.unsqueeze(0) - student.unsqueeze(1) + margin)
    return hinge[above].sum() / (len(student) * (len(student) - 1) / 2)


def drawn(texts: int, most: int, seed: tuple[int, ...]) -> Pairs:
    """All pairs of so many texts, or `most` of them, drawn without replacement."""
    every = np.stack(np.triu_indices(texts, 1))
    if every.shape[1] > most:
        every = every[:, np.random.default_rng(seed).choice(every.shape[1], most, replace=False)]
    return torch.from_numpy(every)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """How much each loss counts."""

    cosine: float
    similarity: float
    order: float
    margin: float
    """Of `order`."""

    def by_pairs(
        self, student: Float[Tensor, "texts dim"], teacher: Float[Tensor, "texts width"], pairs: Pairs
    ) -> Float[Tensor, ""]:
        """The losses that a rotation of the student's vectors doesn't change; the widths may differ."""
        total = student.new_zeros(())
        if self.similarity:
            total = total + self.similarity * relation(student, teacher)
        if self.order:
            ours, theirs = (_similarities(vectors, pairs) for vectors in (student, teacher))
            total = total + self.order * order(ours, theirs, self.margin)
        return total

    def all(
        self, student: Float[Tensor, "texts dim"], teacher: Float[Tensor, "texts dim"], pairs: Pairs
    ) -> Float[Tensor, ""]:
        """All three."""
        direct = self.cosine * cosine(student, teacher) if self.cosine else 0.0
        return direct + self.by_pairs(student, teacher, pairs)


def _similarities(vectors: Float[Tensor, "texts dim"], pairs: Pairs) -> Float[Tensor, " pairs"]:
    unit = functional.normalize(vectors, dim=1)
    first, second = pairs.to(vectors.device)
    return all_products(unit, unit)[first, second]

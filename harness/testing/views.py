"""Views of batches made by hand, for tests of losses."""

from collections.abc import Sequence
from typing import Any

import torch

from harness.nn.view import View


def view(scores: Sequence[Sequence[float]], teacher: Sequence[Sequence[float]] | None = None, **other: Any) -> View:
    """Documents on a line and queries at 1, so that a student's scores are its documents, which can take gradients.

    Args:
        scores: of each query with its own list, the positive first; in-batch scores are then the other lists' numbers.
        teacher: the teacher's.
        other: further fields of the view, or other values of these.
    """
    documents = torch.tensor(scores).unsqueeze(2).requires_grad_()
    queries, docs = documents.shape[:2]
    fields: dict[str, Any] = {
        "query_vectors": torch.ones(queries, 1),
        "document_vectors": documents,
        "rows": torch.arange(queries * docs).view(queries, docs),
        "teacher": None if teacher is None else torch.tensor(teacher),
        "relevant": torch.eye(queries, dtype=torch.bool).repeat_interleave(docs, dim=1)
        & (torch.arange(queries * docs) % docs == 0),
        "positions": tuple(range(queries)),
    }
    return View(**{**fields, **other})


def gradient(of: View) -> list[list[float]]:
    """The gradient that a loss's `backward` left at each score."""
    found = of.document_vectors.grad
    assert found is not None, "backward was called on something that depends on the documents"
    return found.squeeze(2).tolist()

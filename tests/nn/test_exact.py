"""Scores are fp32 in mixed precision too: they are those of the vectors, and near ones do not tie."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from harness.contracts import Context
from harness.nn.losses import relation
from harness.nn.students import DenseStudent, LateStudent, PairStudent, SparseStudent
from harness.nn.view import View
from harness.testing.views import view

TEXTS = ["a b", "c d e f g h", "a", "b c d", "a b", "h g f e d c b a", "e", "c c c c"]


def mixed() -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16)


@pytest.fixture
def batch() -> View:
    chance = torch.Generator().manual_seed(0)
    vectors = {"query_vectors": torch.randn(3, 40, generator=chance)}
    vectors["document_vectors"] = torch.randn(3, 4, 40, generator=chance)
    return view(torch.zeros(3, 4).tolist(), **vectors)


def test_a_batchs_scores_are_those_of_full_precision(batch: View):
    expected = batch.query_vectors.double() @ batch.document_vectors.flatten(0, 1).double().T
    with mixed():
        assert torch.allclose(batch.all_scores.double(), expected, atol=1e-5)
        assert torch.allclose(batch.scores.double(), expected[batch.own_list].view(3, 4), atol=1e-5)


def test_vectors_in_half_precision_get_gradients_in_theirs(batch: View):
    half = batch.document_vectors.bfloat16().requires_grad_()
    with mixed():
        scores = view(torch.zeros(3, 4).tolist(), query_vectors=batch.query_vectors, document_vectors=half).scores
    assert scores.dtype == torch.float32
    scores.sum().backward()
    assert half.grad is not None
    assert half.grad.dtype == torch.bfloat16


@pytest.mark.parametrize("form", [DenseStudent, LateStudent, SparseStudent])
def test_a_students_comparisons_are_those_of_full_precision(
    form: type, tiny_dense: Path, tiny_bert: Path, context: Context
):
    student = form(str(tiny_bert if form is SparseStudent else tiny_dense), context, 16)
    student.model.eval()
    with torch.no_grad():
        queries, documents = student.embed(TEXTS[:2], "query"), student.embed(TEXTS, "document")
        whole = student.matrix(queries, documents), student.lists(queries, documents)
        with mixed():
            half = student.matrix(queries, documents), student.lists(queries, documents)
    assert all(map(torch.equal, whole, half))


def test_a_cross_encoders_output_has_more_than_eight_bits(tiny_bert: Path, context: Context):
    student = PairStudent(str(tiny_bert), context, 24)
    student.model.eval()
    with torch.no_grad(), mixed():
        scores = student.score([(text, other) for text in TEXTS[:3] for other in TEXTS])
    assert scores.dtype == torch.float32
    assert not torch.equal(scores, scores.bfloat16().float())


def test_relations_between_texts_too():
    def value(vectors: Tensor) -> float:
        return relation(vectors, torch.eye(3)).item()

    vectors = torch.tensor([[1.0, 0.0, 0.01], [1.0, 0.02, 0.0], [1.0, 0.0, 0.0]])
    expected = value(vectors)
    with mixed():
        assert value(vectors) == expected

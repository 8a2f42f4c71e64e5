"""Students that show their layers, in one pass and with gradients."""

import json
from pathlib import Path

import pytest
import torch

from harness.contracts import Context
from harness.errors import CheckpointError
from harness.nn.students import make
from harness.nn.students.layers import LayeredStudent

TEXTS = ["a cat", "a much longer text on dogs", "a cat"]


@pytest.fixture
def student(tiny_dense: Path, context: Context) -> LayeredStudent:
    return LayeredStudent(str(tiny_dense), context, 32)


def test_the_vectors_are_the_plain_students(student: LayeredStudent, tiny_dense: Path, context: Context):
    plain = make("dense", str(tiny_dense), context, 32).embed(TEXTS, "query")
    assert torch.allclose(student.embed(TEXTS, "query"), plain, atol=1e-6)
    layers = student.layers["query"]
    assert layers.shape == (3, 2, 16)
    assert torch.allclose(layers[:, -1], plain, atol=1e-6)  # pooling is all that stands behind the last layer
    assert torch.allclose(layers.norm(dim=2), torch.ones(3, 2), atol=1e-5)
    assert torch.equal(layers[0], layers[2])
    assert not torch.allclose(layers[:, 0], layers[:, 1], atol=1e-2)


def test_scores_layer_by_layer(student: LayeredStudent):
    queries = student.embed(TEXTS[:1], "query")
    documents = student.embed(TEXTS, "document")
    scores = student.layer_scores()
    assert scores.shape == (1, 3, 2)
    assert torch.allclose(scores[:, :, -1], queries @ documents.T, atol=1e-6)
    expected = student.layers["query"][0, 0] @ student.layers["document"][1, 0]
    assert scores[0, 1, 0].item() == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize("chunk", [0, 1])
def test_gradients_of_the_first_layer_stay_there(student: LayeredStudent, chunk: int):
    back = student.cached(chunk) if chunk else lambda: None
    student.embed(TEXTS, "document")
    student.layers["document"][:, 0].sum().backward()
    back()
    first, second = student.model.transformers_model.encoder.layer
    assert first.attention.self.query.weight.grad.abs().sum() > 0
    assert second.attention.self.query.weight.grad is None or not second.attention.self.query.weight.grad.any()


def test_what_is_saved_is_a_plain_model(student: LayeredStudent, tmp_path: Path):
    student.embed(TEXTS, "query")
    student.save(tmp_path / "saved")
    assert not json.loads((tmp_path / "saved" / "config.json").read_text()).get("output_hidden_states")


def test_two_towers_are_refused(tiny_dense: Path, context: Context, tmp_path: Path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Router

    first, second = (list(SentenceTransformer(str(tiny_dense), device="cpu")) for _ in range(2))
    router = Router.for_query_document(first, second)  # type: ignore[arg-type] - its annotation is narrower than its use
    both = SentenceTransformer(modules=[router], device="cpu")
    both.save_pretrained(str(tmp_path / "towers"), create_model_card=False)
    with pytest.raises(CheckpointError, match="Router"):
        LayeredStudent(str(tmp_path / "towers"), context, 32)

"""Cross-encoder: equal to sentence-transformers' own prediction, strict about what it loads."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from harness_cross_encoder import CARD, Config
from harness_cross_encoder.method import CrossEncoderTeacher
from sentence_transformers import CrossEncoder
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from harness.config import parse
from harness.contracts import Context
from harness.errors import CheckpointError, ConfigError
from harness.plugins import registry
from harness.records import Document, Query
from harness.testing import TeacherContract
from harness.testing.models import tiny_cross_encoder

PAIRS = [
    (Query(id="1", text="what do cats eat"), Document(id="a", title="Cats", text="Cats eat mice.")),
    (Query(id="1", text="what do cats eat"), Document(id="b", text="A long text on the moons of Jupiter. " * 30)),
    (Query(id="2", text="moons"), Document(id="a", title="Cats", text="Cats eat mice.")),
    (Query(id="2", text="moons"), Document(id="c", text="")),
    (Query(id="2", text="moons"), Document(id="d", text="Io")),
]
"""The second is cut at the checkpoint's 256 tokens."""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_cross_encoder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., CrossEncoderTeacher]:
    return lambda **knobs: CrossEncoderTeacher(Config(**knobs), Context(folder=tmp_path, build=lambda use: None))


class TestContract(TeacherContract):
    plugin = "cross-encoder"
    identity_options: ClassVar = {"max_length": "32", "precision": "bfloat16"}

    @pytest.fixture
    def options(self, folder: str) -> dict[str, str]:
        return {"model": folder, "batch": "4"}


def test_equals_sentence_transformers(build: Callable[..., CrossEncoderTeacher], folder: str) -> None:
    texts = [(query.text, document.content) for query, document in PAIRS]
    expected = CrossEncoder(folder, device="cpu").predict(texts, activation_fn=torch.nn.Identity())
    given = build(model=folder, batch=2).score(PAIRS)
    np.testing.assert_allclose(given, expected, atol=1e-5)
    assert len(set(given.round(3).tolist())) == len(PAIRS)
    assert given.min() < 0 or given.max() > 1  # no sigmoid


def test_max_length_cuts(build: Callable[..., CrossEncoderTeacher], folder: str) -> None:
    same_start = [
        (Query(id="q", text="moons"), Document(id="a", text="The moons of Jupiter. " + rest)) for rest in ("Io", "Mars")
    ]
    far, near = (build(model=folder, max_length=length).score(same_start) for length in (256, 20))
    assert far[0] != pytest.approx(far[1], abs=1e-3)
    assert near[0] == pytest.approx(near[1], abs=1e-5)


def test_identity_follows_the_weights(build: Callable[..., CrossEncoderTeacher], folder: str, tmp_path: Path) -> None:
    other = tiny_cross_encoder(tmp_path / "other", seed=1)
    copy = tiny_cross_encoder(tmp_path / "copy")
    assert build(model=folder).identity == build(model=copy, batch=1).identity != build(model=other).identity


def test_more_than_one_output_is_refused(build: Callable[..., CrossEncoderTeacher], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="one output"):
        build(model=tiny_cross_encoder(tmp_path / "three", labels=3))


def test_an_encoder_without_output_is_refused(build: Callable[..., CrossEncoderTeacher], models: Path) -> None:
    with pytest.raises(CheckpointError, match="expected a CrossEncoder checkpoint"):
        build(model=str(models / "minilm-l6"))


def test_features_are_the_layers_and_end_with_the_score(build: Callable[..., CrossEncoderTeacher], folder: str) -> None:
    teacher = build(model=folder, batch=2)
    given = teacher.features(PAIRS)
    assert {name: (array.dtype, array.shape) for name, array in given.items()} == {
        "cls": (np.float32, (len(PAIRS), 2, 32)),
        "layer_scores": (np.float32, (len(PAIRS), 2)),
    }
    np.testing.assert_allclose(given["layer_scores"][:, -1], teacher.score(PAIRS), atol=1e-5)
    assert {name: array.shape for name, array in teacher.features([]).items()} == {
        "cls": (0, 2, 32),
        "layer_scores": (0, 2),
    }


def test_every_layer_goes_through_the_models_own_head(build: Callable[..., CrossEncoderTeacher], folder: str) -> None:
    # w₂ · tanh(W₁ x + b₁) + b₂ of the first token's state x, with the state from transformers itself.
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    read = AutoTokenizer.from_pretrained(folder)(PAIRS[0][0].text, PAIRS[0][1].content, return_tensors="pt")
    with torch.inference_mode():
        state = model(**read, output_hidden_states=True).hidden_states[1][0, 0]
        pooler = model.bert.pooler.dense
        pooled = torch.tanh(pooler.weight @ state + pooler.bias)
        expected = model.classifier.weight[0] @ pooled + model.classifier.bias[0]
    given = build(model=folder).features(PAIRS)
    np.testing.assert_allclose(given["cls"][0, 0], state.numpy(), atol=1e-4)
    assert given["layer_scores"][0, 0] == pytest.approx(expected.item(), abs=1e-4)


def test_another_head_gives_scores_but_no_features(build: Callable[..., CrossEncoderTeacher], tmp_path: Path) -> None:
    copy = tiny_cross_encoder(tmp_path / "copy")
    config = RobertaConfig(
        vocab_size=128, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, num_labels=1
    )
    RobertaForSequenceClassification(config).save_pretrained(copy)
    teacher = build(model=copy, max_length=64)
    assert np.isfinite(teacher.score(PAIRS)).all()
    with pytest.raises(CheckpointError, match="RobertaForSequenceClassification gives scores only"):
        teacher.features(PAIRS)


def test_half_precision_is_near_and_still_tells_scores_apart(
    build: Callable[..., CrossEncoderTeacher], folder: str
) -> None:
    whole, half = build(model=folder), build(model=folder, precision="bfloat16")
    scores = half.score(PAIRS)
    np.testing.assert_allclose(scores, whole.score(PAIRS), atol=0.2)
    assert scores.dtype == np.float32
    assert not np.array_equal(scores, torch.from_numpy(scores).bfloat16().float().numpy())  # the last layer is float32
    np.testing.assert_allclose(half.features(PAIRS)["layer_scores"][:, -1], scores, atol=0.05)
    assert half.identity != whole.identity


def test_options_that_make_no_sense() -> None:
    with pytest.raises(ConfigError):
        parse(registry(), CARD, {"max_length": "0"})
    assert parse(registry(), CARD, {"max_length": "none"}).max_length is None

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
    identity_options: ClassVar = {"max_length": "32"}

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


def test_options_that_make_no_sense() -> None:
    with pytest.raises(ConfigError):
        parse(registry(), CARD, {"max_length": "0"})
    assert parse(registry(), CARD, {"max_length": "none"}).max_length is None

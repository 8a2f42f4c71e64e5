"""The card's behaviour checks: widths don't matter, good layers count more, and layers are drawn as they should be."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_lead import Config
from harness_lead.layers import draw, layer_loss, layer_weights
from harness_lead.method import Lead

from harness.nn.losses import info_nce, kl
from harness.nn.recipe import View, fit
from harness.nn.students import make
from harness.records import Document, Query
from harness.testing import DistillerContract
from harness.testing.teachers import OverlapTeacher
from harness.testing.topics import TopicTeacher, context, learnt, lesson
from harness.testing.views import view

FEW: dict[str, Any] = {
    "documents": 6,
    "last_rank": 30,
    "batch": 16,
    "learning_rate": 5e-4,
    "max_length": 16,
    "warm_up": 0,
}


class Layers(OverlapTeacher):
    """Three layers, each surer than the one before."""

    identity = "harness-lead-testing-1"

    def features(self, pairs: Sequence[tuple[Query, Document]]) -> dict[str, np.ndarray]:
        return {"layer_scores": self.score(pairs)[:, None] * np.array([1, 2, 4], np.float32)}


class TestContract(DistillerContract):
    plugin = "lead"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4"}  # noqa: RUF012
    teacher = Layers()

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


def scores(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_by_hand():
    # One list, two documents, one layer each; all three divergences are of the same kind.
    def divergence(teacher: float, student: float) -> float:
        p, q = 1 / (1 + np.exp(-teacher)), 1 / (1 + np.exp(-student))
        return p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))

    batch = view([[1.0, 0.5]], [[3.0, 2.0]])
    layers = torch.tensor([[[0.5], [0.0]]]), torch.tensor([[[4.0], [1.0]]])
    config = Config(scale=2.0, label_weight=0.5, response_weight=3.0, layer_weight=7.0)
    expected = 0.5 * np.log(1 + np.exp(-1)) + 3 * divergence(1, 1) + 7 * divergence(3, 1)
    found = Lead(config, context(Path("unused"))).loss(batch, *layers)
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_equal_layers_have_nothing_to_learn():
    own = scores(4, 5, 3)
    assert layer_loss(own, own, layer_weights(own, 10)).item() == pytest.approx(0, abs=1e-6)
    assert layer_loss(scores(4, 5, 3, seed=1), own, layer_weights(own, 10)).item() > 0.1


def test_weights_from_all_alike_to_the_best_alone():
    teacher = scores(4, 5, 3).requires_grad_()
    losses = [info_nce(teacher[:, :, layer], torch.zeros(4, dtype=torch.long)).item() for layer in range(3)]
    alike, usual, one = (layer_weights(teacher, temperature) for temperature in (1e6, 1.0, 1e-3))
    assert alike.tolist() == pytest.approx([1 / 3] * 3, abs=1e-4)
    assert one.tolist() == pytest.approx([float(loss == min(losses)) for loss in losses], abs=1e-4)
    assert usual.tolist() == pytest.approx((np.exp(-np.array(losses)) / np.exp(-np.array(losses)).sum()).tolist())
    for weights in (alike, usual, one):
        assert weights.sum().item() == pytest.approx(1)
        assert not weights.requires_grad


def test_a_corrupted_layer_counts_less():
    good = torch.zeros(4, 5, 3)
    good[:, 0] = 3.0
    noisy = good.clone()
    noisy[:, :, 1] += 4 * scores(4, 5)
    assert layer_weights(good, 1.0)[1].item() == pytest.approx(1 / 3)
    assert layer_weights(noisy, 1.0)[1].item() < 0.3


def test_draws():
    draws = [draw(0, turn, 12, 6, 4) for turn in range(50)]
    assert all(layers == sorted(set(layers)) and len(layers) == 4 for pair in draws for layers in pair)
    assert {layer for theirs, _ in draws for layer in theirs} == set(range(12))
    assert {layer for _, ours in draws for layer in ours} == set(range(6))
    assert len({str(pair) for pair in draws}) > 40
    assert draws == [draw(0, turn, 12, 6, 4) for turn in range(50)] != [draw(1, turn, 12, 6, 4) for turn in range(50)]
    assert draw(0, 0, 2, 3, 5) == ([0, 1], draw(0, 0, 2, 3, 2)[1])  # as many as there are


def test_layers_stay_until_they_are_drawn_anew():
    layers = scores(2, 3, 9), scores(2, 3, 9, seed=1)
    method = Lead(Config(layers=2, refresh=10, weighting=1e6), context(Path("unused")))

    def at(step: int) -> float:
        return method.loss(view(scores(2, 3).tolist(), scores(2, 3).tolist(), step=step), *layers).item()

    assert len({at(step) for step in range(10)}) == 1
    assert len({at(step) for step in range(0, 100, 10)}) > 5


def curve(folder: Path) -> list[float]:
    return json.loads((context(folder).training / "record.json").read_text())["curves"]["train"]


def test_without_layers_plain_response_distillation(bare_encoder: str, tmp_path: Path):
    found: list[list[float]] = []
    none: tuple[dict[str, Any], ...] = ({"layers": 0}, {"layer_weight": 0.0})
    for options in none:
        folder = tmp_path / str(len(found))
        config = Config(steps=4, **FEW, **options)
        Lead(config, context(folder)).distil(lesson(bare_encoder, TopicTeacher(), folder))
        found.append(curve(folder))
    config = Config(steps=4, **FEW)

    def response(view: View) -> torch.Tensor:
        assert view.teacher is not None
        student = config.scale * view.scores
        return info_nce(student, torch.zeros_like(view.positives)) + kl(student, view.teacher)

    fit(lesson(bare_encoder, TopicTeacher(), tmp_path), context(tmp_path), config, response, taught=True)
    assert found[0] == pytest.approx(curve(tmp_path), abs=1e-5)
    assert found[1] == pytest.approx(curve(tmp_path), abs=1e-5)


def test_no_parameter_but_the_students_and_a_column_a_document(
    bare_encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # The teacher's states are 8 wide, the student's 128: nothing is projected.
    from safetensors.torch import load_file

    shapes: set[tuple[int, ...]] = set()
    original = Lead.loss

    def seen(self: Lead, view: View, student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
        shapes.update((tuple(student.shape), tuple(teacher.shape)))
        return original(self, view, student, teacher)

    monkeypatch.setattr(Lead, "loss", seen)
    Lead(Config(steps=1, **FEW), context(tmp_path)).distil(lesson(bare_encoder, TopicTeacher(), tmp_path))
    trained = load_file(context(tmp_path).training / "checkpoints" / "stage-0.safetensors")
    student = make("dense", bare_encoder, context(tmp_path), 16).model
    assert sum(value.numel() for value in trained.values()) == sum(own.numel() for own in student.parameters())
    assert shapes == {(16, 6, 2)}


def test_the_student_is_warmed_up_by_labels_among_the_documents_of_the_batch(bare_encoder: str, tmp_path: Path):
    config = Config(steps=5, **FEW | {"warm_up": 0.4})
    Lead(config, context(tmp_path)).distil(lesson(bare_encoder, TopicTeacher(), tmp_path))
    curves = json.loads((context(tmp_path).training / "record.json").read_text())["curves"]
    assert {name: len(losses) for name, losses in curves.items()} == {"warm-up": 2, "train": 3}
    batch = view([[0.5, 0.1], [0.2, 0.4]], [[1.0, 0.0], [1.0, 0.0]])
    expected = info_nce(20 * batch.all_scores, batch.positives, mask=batch.candidates)
    assert Lead(config, context(tmp_path)).labels(batch).item() == pytest.approx(expected.item())
    assert batch.all_scores.shape == (2, 4)  # its own list and the other question's


class Wrong(TopicTeacher):
    """The final scores are right; those of the layers before belong to other pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.identity = "topics-wrong-layers"
        self._other = TopicTeacher(permuted=True)

    def features(self, pairs: Sequence[tuple[Query, Document]]) -> dict[str, np.ndarray]:
        right, wrong = super().features(pairs)["layer_scores"], self._other.features(pairs)["layer_scores"]
        return {"layer_scores": np.concatenate([wrong, wrong, wrong, right[:, 1:]], axis=1)}


def test_learns_what_the_layers_know_and_less_from_permuted_ones(bare_encoder: str, tmp_path: Path):
    def after(teacher: TopicTeacher, **options: Any) -> float:
        folder = tmp_path / f"{teacher.identity}-{len(options)}"
        config = Config(steps=40, **FEW, **options)
        return learnt(Lead(config, context(folder)), lesson(bare_encoder, teacher, folder))

    layers_alone: dict[str, Any] = {"label_weight": 0.0, "response_weight": 0.0, "layers": 2}
    right = after(TopicTeacher(), **layers_alone)
    permuted = after(TopicTeacher(permuted=True), **layers_alone)
    assert right > 0.7
    assert permuted < right - 0.2
    assert after(Wrong(), layer_weight=5.0) < after(TopicTeacher(), layer_weight=5.0) - 0.05

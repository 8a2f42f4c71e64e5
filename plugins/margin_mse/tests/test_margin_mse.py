"""The card's behaviour checks: what the loss is blind to, and that the student learns what the teacher knows."""

from pathlib import Path

import pytest
import torch
from harness_margin_mse import Config
from harness_margin_mse.method import MarginMse

from harness.nn.recipe import View
from harness.testing import DistillerContract
from harness.testing.topics import TopicTeacher, context, learnt, lesson
from harness.testing.views import gradient, view


class TestContract(DistillerContract):
    plugin = "margin-mse"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


def loss(of: View, **options: float) -> torch.Tensor:
    return MarginMse(Config(**options), context(Path("unused"))).loss(of)


def test_by_hand():
    # Student margins 1 and 3, teacher margins 2 and 0: (1 + 9) / 2; at scale 2: (0 + 36) / 2.
    batch = view([[2.0, 1.0, -1.0]], [[2.0, 0.0, 2.0]])
    assert loss(batch).item() == pytest.approx(5.0)
    assert loss(batch, scale=2.0).item() == pytest.approx(18.0)


def test_blind_to_a_constant_for_each_query_and_not_to_scale():
    student, teacher = [[2.0, 1.0], [0.5, 0.0]], [[3.0, -1.0], [8.0, 7.0]]
    value = loss(view(student, teacher)).item()
    shifted = [[t + shift for t in line] for line, shift in zip(teacher, (100.0, -7.0), strict=True)]
    assert loss(view(student, shifted)).item() == pytest.approx(value)
    assert loss(view(student, [[10 * t for t in line] for line in teacher])).item() != pytest.approx(value)


def test_gradients_of_positive_and_negative_are_opposite():
    batch = view([[2.0, 1.0], [0.5, 0.0]], [[3.0, -1.0], [8.0, 7.0]])
    loss(batch).backward()
    (first, second) = gradient(batch)
    assert (first[0], second[0]) == pytest.approx((2 * (1 - 4) / 2, 2 * (0.5 - 1) / 2))
    assert (first[0], second[0]) == pytest.approx((-first[1], -second[1]))


def test_learns_the_teachers_margins_and_nothing_from_a_permuted_teacher(bare_encoder: str, tmp_path: Path):
    config = Config(steps=60, documents=6, last_rank=30, batch=16, learning_rate=5e-4, scale=8.0, max_length=16)

    def after(teacher: TopicTeacher) -> float:
        folder = tmp_path / teacher.identity
        return learnt(MarginMse(config, context(folder)), lesson(bare_encoder, teacher, folder))

    honest, permuted = after(TopicTeacher()), after(TopicTeacher(permuted=True))
    assert honest > 0.7
    assert permuted < honest - 0.2

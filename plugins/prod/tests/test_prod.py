"""The card's behaviour checks: temperature, retention, which queries are confusing, and what each stage learns from."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_prod import Config
from harness_prod import confusing as confusing_queries
from harness_prod.confusing import confusing, descending, ranks
from harness_prod.learner import Learner, divergence
from harness_prod.method import Prod

from harness.card import Use
from harness.contracts import Context
from harness.nn.course import Course
from harness.nn.losses import info_nce, kl
from harness.nn.students import DenseStudent
from harness.records import Budget
from harness.testing import DistillerContract
from harness.testing.teachers import Counter
from harness.testing.topics import Shuffled, TopicTeacher, context, learnt, lesson
from harness.testing.views import gradient, view

OPTIONS: dict[str, Any] = {
    "documents": 4,
    "last_rank": 30,
    "batch": 16,
    "learning_rate": 5e-4,
    "max_length": 16,
    "depth": 8,
}


class TestContract(DistillerContract):
    plugin = "prod"
    options = {"steps": "4", "documents": "3", "last_rank": "10", "batch": "4", "depth": "2"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


def config(**options: Any) -> Config:
    chosen: dict[str, Any] = {**OPTIONS, **options}
    return Config(**chosen)


class Dual(TopicTeacher):
    """A teacher whose scores are dot products of its vectors."""

    scores_are_dot_products = True


def given(folder: Path) -> Context:
    """A context whose nested teachers are what stands in the place of their configuration."""
    return context(folder, build=lambda use: use.config if isinstance(use, Use) else Shuffled())


def chain(*teachers: TopicTeacher) -> tuple[Use, ...]:
    return tuple(Use("teacher", "topics", teacher) for teacher in teachers)


def record(folder: Path) -> Any:
    return json.loads((context(folder).training / "record.json").read_text())


def test_divergence_by_hand_and_its_gradient():
    scores, teacher = torch.tensor([[2.0, 0.0]], requires_grad=True), torch.tensor([[0.0, 4.0]])
    p, q = torch.softmax(teacher / 4, 1), torch.softmax(scores.detach() / 4, 1)
    found = divergence(scores, teacher, 4.0)
    assert found.item() == pytest.approx(16 * (p * (p / q).log()).sum().item(), rel=1e-5)
    found.backward()
    assert scores.grad is not None
    assert torch.allclose(scores.grad, 4 * (q - p), atol=1e-6)


def test_temperature_leaves_the_gradients_size():
    chance = torch.Generator().manual_seed(0)
    scores, teacher = (0.3 * torch.randn(8, 16, generator=chance) for _ in range(2))

    def size(temperature: float, loss: Any) -> float:
        learning = scores.clone().requires_grad_()
        loss(learning, teacher, temperature).backward()
        assert learning.grad is not None
        return learning.grad.norm().item()

    def unscaled(student: torch.Tensor, taught: torch.Tensor, temperature: float) -> torch.Tensor:
        return kl(student, taught, student_temperature=temperature, teacher_temperature=temperature)

    assert size(8.0, divergence) == pytest.approx(size(4.0, divergence), rel=0.05)
    assert size(8.0, unscaled) == pytest.approx(size(4.0, unscaled) / 4, rel=0.05)


@pytest.fixture
def learner(bare_encoder: str, tmp_path: Path) -> Learner:
    student, copy = (DenseStudent(bare_encoder, context(tmp_path), 16) for _ in range(2))
    return Learner(student, copy, config(scale=1.0, temperature=1.0, vector_scale=2.0))


def test_losses_of_a_dual_encoder_by_hand(learner: Learner):
    teacher = torch.tensor([[1.0, 0.0, 0.2, 0.1], [0.3, 0.0, 0.9, 0.2]])
    batch = view([[2.0, 1.0], [0.5, -1.0]], teacher_all=teacher)
    labels = info_nce(batch.all_scores, batch.positives).item()
    taught = divergence(batch.all_scores, 2 * teacher, 1.0).item()
    loss = learner.batchwise(batch)
    assert loss.item() == pytest.approx(0.1 * labels + 0.9 * taught, rel=1e-5)
    loss.backward()
    assert len(gradient(batch)) == 2


def test_retention_is_zero_until_the_student_moves_and_the_copy_never_does(
    learner: Learner, bare_encoder: str, tmp_path: Path
):
    course = Course(lesson=lesson(bare_encoder, TopicTeacher(), tmp_path), context=context(tmp_path), config=config())
    lists, model = course.taught(), learner.student.model.eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01)
    learner.remember()
    before = [parameter.clone() for parameter in learner.copy.model.parameters()]
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    values: list[float] = []
    for _ in range(3):
        batch = lists.view(learner.student, range(8))
        values.append(learner.retention(batch).item())
        optimiser.zero_grad()
        learner.listwise(batch).backward()
        optimiser.step()
    assert values[0] == 0
    assert 0 < values[1] < values[2]
    after = list(learner.copy.model.parameters())
    assert all(torch.equal(old, new) and new.grad is None for old, new in zip(before, after, strict=True))


def of_ranks(*wanted: int) -> np.ndarray:
    """Scores of lists of 17 documents whose positive has these ranks."""
    return np.array([[-(rank - 0.5), *(-float(place) for place in range(1, 17))] for rank in wanted], np.float32)


def test_confusing_queries_by_hand():
    student, teacher = of_ranks(1, 2, 15, 16, 3), of_ranks(1, 1, 1, 1, 2)
    assert ranks(student).tolist() == [1, 2, 15, 16, 3]
    assert confusing(student, teacher, 15).tolist() == [False, True, True, False, False]
    assert not confusing(student, student, 15).any()
    columns = descending(np.array([[0.0, 1.0, 3.0, 2.0]], np.float32), 3)
    assert columns.tolist() == [[0, 2, 3]]


def test_stages_share_the_steps_and_the_teachers_calls(bare_encoder: str, tmp_path: Path):
    counter, first = Counter(), Dual()
    budget = Budget(teacher_calls=100)
    taught = lesson(bare_encoder, counter.watch(TopicTeacher()), tmp_path, budget)
    Prod(config(steps=10, chain=chain(first, TopicTeacher())), given(tmp_path)).distil(taught)
    found = record(tmp_path)
    lengths = {name: len(curve) for name, curve in found["curves"].items()}
    assert lengths == {"warm": 2, "teacher-1": 2, "teacher-2": 2, "teacher-3": 2, "confusing": 2}
    assert found["confusing"]["queries"] == 100 // (4 + 1 + 9)
    assert len(set(found["candidates"])) == 4  # the frozen ones, and three that the student mined
    assert counter.calls <= 100
    plain = tmp_path / "plain"
    options: dict[str, Any] = {"steps": 4, "refresh": False, "warm_share": 0.0, "confusing_share": 0.0}
    again = lesson(bare_encoder, TopicTeacher(), plain)
    Prod(config(chain=chain(first), **options), given(plain)).distil(again)
    assert {name: len(curve) for name, curve in record(plain)["curves"].items()} == {"teacher-1": 2, "teacher-2": 2}
    assert len(record(plain)["candidates"]) == 1


@pytest.mark.parametrize("place", ["last", "first"])
def test_learns_what_its_teachers_know_and_nothing_from_permuted_ones(place: str, bare_encoder: str, tmp_path: Path):
    alone: dict[str, Any] = {"label_weight": 0.0, "warm_share": 0.0, "steps": 50}

    def after(permuted: bool) -> float:
        folder = tmp_path / str(permuted)
        if place == "last":
            method, teacher = Prod(config(**alone), given(folder)), TopicTeacher(permuted=permuted)
        else:
            first = {"chain": chain(Dual(permuted=permuted)), "confusing_share": 0.0}
            method, teacher = Prod(config(**{**alone, **first}), given(folder)), TopicTeacher()
        return learnt(method, lesson(bare_encoder, teacher, folder))

    honest, permuted = after(False), after(True)
    assert honest > 0.7
    assert permuted < honest - (0.2 if place == "last" else 0.1)


def test_a_dual_encoders_scores_are_as_large_on_confusing_queries_as_before(
    bare_encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    real, largest = confusing_queries.lists, list[float]()

    def lists(*arguments: Any, **options: Any) -> Any:
        found = real(*arguments, **options)
        assert found.teacher is not None
        largest.append(float(found.teacher.max()))
        return found

    monkeypatch.setattr(confusing_queries, "lists", lists)
    for name, teacher in (("dual", Dual(gap=1.0)), ("other", TopicTeacher(gap=1.0))):
        folder = tmp_path / name
        knobs = config(steps=4, depth=8, warm_share=0.0, confusing_share=0.5, vector_scale=7.0)
        Prod(knobs, given(folder)).distil(lesson(bare_encoder, teacher, folder))
    assert largest == pytest.approx([7.0, 1.0])


def test_trains_on_confusing_queries_only(bare_encoder: str, tmp_path: Path):
    taught = lesson(bare_encoder, TopicTeacher(), tmp_path)
    one = [replace(example, positives=(example.positives[n % 6],)) for n, example in enumerate(taught.examples)]
    narrow = replace(taught, examples=one)
    Prod(config(steps=4, depth=15, warm_share=0.0, confusing_share=0.5), given(tmp_path)).distil(narrow)
    found = record(tmp_path)["confusing"]
    assert 0 < found["chosen"] < found["queries"] == 48


def test_refuses_shares_and_depths_that_leave_nothing():
    with pytest.raises(ValueError, match="leave steps for teachers"):
        Config(warm_share=0.5, confusing_share=0.5)
    with pytest.raises(ValueError, match="depth expects at least"):
        Config(depth=3)

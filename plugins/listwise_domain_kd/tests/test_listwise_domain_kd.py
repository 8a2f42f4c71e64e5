"""The card's behaviour checks: both losses, which candidates are masked, grades, and what contrast alone does."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_listwise_domain_kd import CARD, Config
from harness_listwise_domain_kd.grading import likely_positives
from harness_listwise_domain_kd.method import ListwiseDomainKd

from harness.config import parse
from harness.contracts import Lesson
from harness.errors import ConfigError, SignalError
from harness.nn.course import Course
from harness.nn.losses import info_nce
from harness.nn.recipe import View
from harness.nn.students import DenseStudent
from harness.nn.taught import between_percentiles
from harness.plugins import registry
from harness.testing import DistillerContract
from harness.testing.topics import TopicTeacher, context, learnt, lesson
from harness.testing.views import gradient, view

QUICK: dict[str, Any] = {"steps": 30, "documents": 6, "last_rank": 30, "learning_rate": 5e-4, "max_length": 16}
STUDENT = [[0.5, 0.3, -0.1], [0.2, 0.4, 0.0]]
GRADES = [[0.9, 0.5, 0.1], [1.0, 0.7, 0.0]]


class TestContract(DistillerContract):
    plugin = "listwise-domain-kd"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


def method(folder: Path = Path("unused"), **options: Any) -> ListwiseDomainKd:
    return ListwiseDomainKd(Config(**(QUICK | options)), context(folder))


def loss(of: View, **options: Any) -> torch.Tensor:
    return method(**options).loss(of)


def test_listwise_by_hand():
    # Teacher softmax(0, log 3) = ¼, ¾; student ½, ½: ¼ log ½ + ¾ log 3/2 = log(3^¾ / 2).
    of = view([[0.4, 0.4]], [[0.0, float(np.log(3))]])
    expected = 0.75 * np.log(3) - np.log(2)
    assert loss(of, contrastive_weight=0.0, teacher_temperature=1.0).item() == pytest.approx(expected, abs=1e-6)


def test_gradient_of_the_listwise_part():
    of = view(STUDENT, GRADES)
    loss(of, contrastive_weight=0.0).backward()
    student, teacher = torch.tensor(STUDENT), torch.tensor(GRADES)
    expected = (torch.softmax(student / 0.05, 1) - torch.softmax(teacher / 0.3, 1)) / (0.05 * 2)
    np.testing.assert_allclose(gradient(of), expected, atol=1e-5)


def test_listwise_is_blind_to_constants_and_not_to_temperatures():
    value = loss(view(STUDENT, GRADES), contrastive_weight=0.0).item()
    student, teacher = (
        [[s + c for s in line] for line, c in zip(m, (0.3, -0.7), strict=True)] for m in (STUDENT, GRADES)
    )
    assert loss(view(student, GRADES), contrastive_weight=0.0).item() == pytest.approx(value, abs=1e-5)
    assert loss(view(STUDENT, teacher), contrastive_weight=0.0).item() == pytest.approx(value, abs=1e-5)
    for name in ("student_temperature", "teacher_temperature"):
        assert loss(view(STUDENT, GRADES), contrastive_weight=0.0, **{name: 0.1}).item() != pytest.approx(
            value, rel=0.01
        )


def test_contrast_alone_is_info_nce_without_the_masked():
    of = view(STUDENT, GRADES)
    options = {"list_weight": 0.0, "contrastive_weight": 1.0, "contrastive_temperature": 0.1}
    # 0.5 is no more than 0.6 · 0.9, but 0.7 is more than 0.6 · 1.0: the second query's own second document.
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 1]]).bool()
    expected = info_nce(of.all_scores, of.positives, temperature=0.1, mask=mask).item()
    assert loss(of, **options).item() == pytest.approx(expected)
    plain = info_nce(of.all_scores, of.positives, temperature=0.1).item()
    assert loss(of, threshold=1.1, **options).item() == pytest.approx(plain)
    both = loss(of, contrastive_weight=0.0).item() + 0.1 * expected
    assert loss(of, contrastive_temperature=0.1).item() == pytest.approx(both)


def test_what_is_masked():
    rows = torch.tensor([[5, 6, 7], [6, 5, 8]])  # each query's positive is in the other's list
    high = likely_positives(rows, torch.tensor([[1.0, 0.5, 0.7], [0.2, 1.0, 0.6]]), 0.6)
    assert high.int().tolist() == [[1, 0, 1, 0, 1, 0], [1, 1, 0, 1, 1, 0]]  # 0.6 is not above 0.6
    only_duplicates = likely_positives(rows, torch.tensor([[1.0, 0.5, 0.7], [0.2, 1.0, 0.6]]), 1.01)
    assert only_duplicates.int().tolist() == [[1, 0, 0, 0, 1, 0], [0, 1, 0, 1, 0, 0]]


def test_judged_documents_are_masked_unless_told_otherwise():
    relevant = torch.tensor([[1, 0, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0]]).bool()  # the last one, of the other list
    of = view(STUDENT, GRADES, relevant=relevant)
    of.all_scores.retain_grad()
    loss(of, list_weight=0.0).backward()
    assert of.all_scores.grad is not None
    assert of.all_scores.grad[0, 5].item() == 0
    other = view(STUDENT, GRADES, relevant=relevant)
    unjudged = view(STUDENT, GRADES)
    assert loss(other, mask_judged=False).item() == pytest.approx(loss(unjudged).item())


def test_grades_from_percentiles():
    scores = np.arange(101, dtype=np.float32).reshape(1, -1) * 2 - 50
    grades = between_percentiles(scores)[0]
    assert grades[[0, 1, 50, 99, 100]].tolist() == pytest.approx([0.0, 0.0, 0.5, 1.0, 1.0])
    assert between_percentiles(scores, 0, 100)[0][[0, 25, 100]].tolist() == pytest.approx([0.0, 0.25, 1.0])
    with pytest.raises(SignalError, match="tells documents apart"):
        between_percentiles(np.ones((3, 4), np.float32))


def test_options_that_make_no_sense():
    for options in ({"list_weight": "0", "contrastive_weight": "0"}, {"low_percentile": "99"}):
        with pytest.raises(ConfigError):
            parse(registry(), CARD, options)


def test_gradient_cache_gives_the_same_gradient(bare_encoder: str, tmp_path: Path):
    given = lesson(bare_encoder, None, tmp_path)
    course = Course(lesson=given, context=context(tmp_path), config=Config(**QUICK))
    grades = np.random.default_rng(0).random(course.candidates.rows.shape, np.float32)
    lists = course.lists(teacher=grades)

    def gradients(chunk: int) -> torch.Tensor:
        student = DenseStudent(bare_encoder, context(tmp_path), 16)
        carry = student.cached(chunk) if chunk else lambda: None
        method().loss(lists.view(student, [0, 7, 20, 33])).backward()
        carry()
        return torch.cat([p.grad.ravel() for p in student.model.parameters() if p.grad is not None])

    whole = gradients(0)
    for chunk in (1, 24):
        torch.testing.assert_close(gradients(chunk) / whole.norm(), whole / whole.norm(), atol=1e-5, rtol=0)


def test_learns_from_the_teacher_and_nothing_from_a_permuted_one(bare_encoder: str, tmp_path: Path):
    def after(teacher: TopicTeacher) -> float:
        folder = tmp_path / teacher.identity
        return learnt(method(folder, contrastive_weight=0.0), lesson(bare_encoder, teacher, folder))

    honest, permuted = after(TopicTeacher()), after(TopicTeacher(permuted=True))
    assert honest > 0.7
    assert permuted < honest - 0.2


def one_judged(given: Lesson) -> Lesson:
    """One relevant document a query is known; the topic's others come up among the negatives."""
    few = [dataclasses.replace(one, positives=one.positives[n % 6 : n % 6 + 1]) for n, one in enumerate(given.examples)]
    return dataclasses.replace(given, examples=few)


def test_contrast_with_noisy_negatives_harms_a_good_encoder_and_lists_do_not(bare_encoder: str, tmp_path: Path):
    good = tmp_path / "good"
    before = learnt(method(good, contrastive_weight=0.0), lesson(bare_encoder, TopicTeacher(), good))

    def after(name: str, **options: Any) -> float:
        folder = tmp_path / name
        given = one_judged(lesson(str(context(good).training / "student"), TopicTeacher(), folder))
        return learnt(method(folder, **options), given)

    contrast = after("contrast", list_weight=0.0, contrastive_weight=1.0, threshold=2.0)
    whole = after("whole")
    assert contrast < before
    assert contrast < whole - 0.05

"""The card's behaviour checks: a calibrated optimum, targets of 0 for the batch, and what coarse grades lose."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_bixse import Config
from harness_bixse.grades import grades
from harness_bixse.method import Bixse, Calibrated
from jaxtyping import Float32
from scipy.stats import rankdata
from torch import nn
from torch.nn import functional

from harness.errors import SignalError
from harness.nn.course import Course
from harness.nn.recipe import View
from harness.nn.students import DenseStudent
from harness.records import Query
from harness.testing import DistillerContract
from harness.testing.topics import FORMS, TOPICS, TopicTeacher, context, learnt, lesson
from harness.testing.views import gradient, view

QUICK: dict[str, Any] = {"steps": 30, "documents": 6, "last_rank": 30, "learning_rate": 5e-4, "max_length": 16}
SCORES = [[0.5, 0.3], [0.2, 0.4], [-0.1, 0.0]]
GRADES = [[0.9, 0.5], [1.0, 0.2], [0.7, 0.0]]


class TestContract(DistillerContract):
    plugin = "bixse"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


def method(folder: Path = Path("unused"), **options: Any) -> Bixse:
    return Bixse(Config(**(QUICK | options)), context(folder))


def calibrated(scale: float, bias: float) -> Calibrated:
    return Calibrated(nn.Identity(), scale, bias)


def a_course(encoder: str, teacher: TopicTeacher, folder: Path, **options: Any) -> Course:
    given = lesson(encoder, teacher, folder)
    return Course(lesson=given, context=context(folder), config=Config(**(QUICK | options)))


def loss(of: View, scale: float = 4.0, bias: float = -1.0, **options: Any) -> torch.Tensor:
    return method(**options).loss(of, calibrated(scale, bias))


def batch(scores: list[list[float]], teacher: list[list[float]], **other: Any) -> View:
    """Queries that differ, so that the rows of the score matrix do."""
    return view(scores, teacher, query_vectors=torch.tensor([[1.0], [-0.5], [2.0]][: len(scores)]), **other)


def matrices(of: View) -> tuple[torch.Tensor, torch.Tensor]:
    """Binary cross-entropies of all pairs, and the targets, without the method's code."""
    targets = torch.block_diag(*torch.tensor(GRADES[: len(of.rows)]))
    logits = 4 * of.all_scores.detach() - 1
    return -targets * functional.logsigmoid(logits) - (1 - targets) * functional.logsigmoid(-logits), targets


def test_by_hand():
    # Logits 0, 0 of grades ½, 1, and of the other list's: 2 · log 2 a query, log 2 for each document at ½.
    of = view([[0.0, 0.0], [0.0, 0.0]], [[0.5, 1.0], [0.0, 0.25]])
    assert loss(of, bias=0.0).item() == pytest.approx(4 * np.log(2))
    assert loss(of, bias=0.0, in_batch=0.5).item() == pytest.approx(3 * np.log(2))
    assert loss(view([[0.5]], [[0.25]]), scale=2.0).item() == pytest.approx(np.log(2))


def test_sum_over_the_matrix_averaged_over_queries():
    of = batch(SCORES, GRADES)
    entropies, _ = matrices(of)
    assert loss(of).item() == pytest.approx(entropies.sum().item() / 3, rel=1e-5)


def test_lowest_where_the_probability_is_the_grade():
    for score, grade in ((0.3, 0.9), (0.9, 0.3)):
        of = view([[score]], [[grade]])
        loss(of).backward()
        probability = 1 / (1 + np.exp(-(4 * score - 1)))
        assert gradient(of)[0][0] == pytest.approx(4 * (probability - grade), abs=1e-5)
    at_optimum = view([[float(np.log(0.7 / 0.3) + 1) / 4]], [[0.7]])
    loss(at_optimum).backward()
    assert gradient(at_optimum)[0][0] == pytest.approx(0, abs=1e-6)


def test_of_zeros_and_ones_it_is_the_sigmoid_contrastive_loss():
    of = batch([[0.5], [0.2], [-0.1]], [[1.0], [1.0], [1.0]])
    signs = 2 * torch.eye(3) - 1  # SigLIP: −Σ log σ(±z) / batch
    expected = -functional.logsigmoid(signs * (4 * of.all_scores.detach() - 1)).sum() / 3
    assert loss(of).item() == pytest.approx(expected.item(), rel=1e-5)


def test_of_zeros_alone_every_similarity_falls():
    of = batch(SCORES, [[0.0, 0.0]] * 3)
    of.all_scores.retain_grad()
    loss(of).backward()
    assert of.all_scores.grad is not None
    assert bool((of.all_scores.grad > 0).all())


def test_a_constant_for_a_query_is_seen():
    shifted = [[score + 0.2 for score in SCORES[0]], *SCORES[1:]]
    assert loss(view(shifted, GRADES)).item() != pytest.approx(loss(view(SCORES, GRADES)).item(), rel=0.01)


def test_a_query_brings_its_row_and_its_columns():
    three, two = batch(SCORES, GRADES), batch(SCORES[:2], GRADES[:2])
    entropies, _ = matrices(three)
    own = entropies[2].sum() + entropies[:2, 4:].sum()
    assert 3 * loss(three).item() - 2 * loss(two).item() == pytest.approx(own.item(), rel=1e-4)


def test_what_is_masked():
    rows = torch.tensor([[5, 6], [7, 5]])  # the first one's positive is graded for the second, too
    relevant = torch.tensor([[1, 0, 1, 0], [0, 0, 1, 0]]).bool()  # and the second's positive is relevant to the first
    of = view(SCORES[:2], GRADES[:2], rows=rows, relevant=relevant)
    assert method().others(of).int().tolist() == [[0, 0, 0, 0], [0, 1, 0, 0]]
    assert method(mask=False).others(of).int().tolist() == [[0, 0, 1, 1], [1, 1, 0, 0]]


def test_grades():
    scores = np.arange(101, dtype=np.float32).reshape(1, -1) * 2 - 50
    assert grades(scores, "minmax")[0, [0, 1, 50, 99, 100]].tolist() == pytest.approx([0, 0, 0.5, 1, 1])
    assert grades(scores, "minmax", coarse=True)[0, [0, 49, 50, 100]].tolist() == [0, 0, 1, 1]
    logits = np.array([[-200.0, 0.0, np.log(3), 200.0]], np.float32)
    assert grades(logits, "sigmoid")[0].tolist() == pytest.approx([0, 0.5, 0.75, 1])
    assert grades(scores / 200 + 0.25, "none")[0, 4].item() == pytest.approx(0.04)
    with pytest.raises(SignalError, match="use minmax or sigmoid"):
        grades(scores, "none")
    with pytest.raises(SignalError, match="tells documents apart"):
        grades(np.ones((2, 3), np.float32), "minmax")


@pytest.mark.parametrize("learns", [True, False])
def test_scale_and_bias_learn_unless_told_otherwise(learns: bool, bare_encoder: str, tmp_path: Path):
    options: dict[str, Any] = {"steps": 3, "graded": 1, "calibrate": learns, "scale": 10.0, "bias": -3.0}
    distiller, course = method(tmp_path, **options), a_course(bare_encoder, TopicTeacher(), tmp_path, **options)
    assert distiller.lists(course).candidates.rows.shape[1] == 1
    student = DenseStudent(bare_encoder, context(tmp_path), 16)
    before = [p.detach().clone() for p in student.model.parameters()]
    model = distiller.train(course, student)
    moved = model.log_scale.item() != pytest.approx(np.log(10)), model.bias.item() != pytest.approx(-3)
    assert moved == (learns, learns)
    assert any(not torch.equal(a, b) for a, b in zip(before, student.model.parameters(), strict=True))


def test_learns_from_the_teacher_and_nothing_from_a_permuted_one(bare_encoder: str, tmp_path: Path):
    def after(teacher: TopicTeacher) -> float:
        folder = tmp_path / teacher.identity
        return learnt(method(folder, in_batch=0.0), lesson(bare_encoder, teacher, folder))

    honest, permuted = after(TopicTeacher()), after(TopicTeacher(permuted=True))
    assert honest > 0.7
    assert permuted < honest - 0.2


class GradedTeacher(TopicTeacher):
    """Documents on a query's topic are worth 0.2, 0.6 or 1, two forms each; others nothing."""

    def score(self, pairs: Any) -> Float32[np.ndarray, " pairs"]:
        places = [[document.content.startswith(form) for form in FORMS].index(True) for _, document in pairs]
        return super().score(pairs) * np.array([0.2, 0.2, 0.6, 0.6, 1.0, 1.0], np.float32)[places]


def graded(folder: Path, encoder: str, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and true grades of new queries with all documents on their topics and off them, after training."""
    options = {"steps": 60, "learning_rate": 1e-3} | options
    course = a_course(encoder, GradedTeacher(gap=1.0), folder, **options)
    student = course.student()
    model = method(folder, **options).train(course, student)
    corpus = course.lesson.corpus
    queries = [Query(id=topic, text=f"tell me something on {topic}") for topic in TOPICS]
    documents = [corpus[row] for row in range(len(corpus))]
    with torch.no_grad():
        vectors = student.embed([query.text for query in queries], "query")
        similarities = student.matrix(vectors, student.embed([d.content for d in documents], "document"))
        probabilities = torch.sigmoid(model.log_scale.exp() * similarities + model.bias)
    pairs = [(query, document) for query in queries for document in documents]
    return probabilities.ravel().numpy(), GradedTeacher(gap=1.0).score(pairs)


def apart(probabilities: np.ndarray, grades: np.ndarray) -> bool:
    """Whether the mean probability rises from each grade to the next."""
    means = [probabilities[np.abs(grades - grade) < 0.01].mean() for grade in np.unique(grades.round(2))]
    return all(better > worse + 0.05 for worse, better in itertools.pairwise(means))


def test_calibrated_by_grade_and_coarse_grades_lose_the_order(bare_encoder: str, tmp_path: Path):
    fine, truth = graded(tmp_path / "fine", bare_encoder)
    coarse, _ = graded(tmp_path / "coarse", bare_encoder, coarse=True)
    assert apart(fine, truth)
    assert not apart(coarse, truth)
    on_topic = truth > 0
    spearman = [np.corrcoef(rankdata(p[on_topic]), rankdata(truth[on_topic]))[0, 1] for p in (fine, coarse)]
    assert spearman[1] < spearman[0] - 0.03

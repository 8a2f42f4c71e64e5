"""The card's behaviour checks: the teacher scores the whole batch on the spot, and the student follows it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_tct_colbert import Config
from harness_tct_colbert.method import TEACHER, TctColbert
from jaxtyping import Float
from torch import Tensor

from harness.index import files
from harness.index.dense import KIND
from harness.nn.course import Course
from harness.nn.students import DenseStudent, LateStudent, Tokens
from harness.nn.view import View
from harness.testing import DistillerContract
from harness.testing.topics import TOPICS, context, learnt, lesson
from harness.testing.views import gradient, view

OPTIONS: dict[str, Any] = {"documents": 2, "last_rank": 30, "learning_rate": 5e-4, "max_length": 16}


class TestContract(DistillerContract):
    plugin = "tct-colbert"
    options = {"steps": "4", "documents": "3", "last_rank": "10", "batch": "4"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


def method(folder: Path, **options: Any) -> TctColbert:
    return TctColbert(Config(**{**OPTIONS, **options}), context(folder))


@pytest.fixture
def batch() -> View:
    return view([[2.0, 1.0], [0.5, -1.0]])


def test_loss_by_hand(batch: View, tmp_path: Path):
    # Both queries see the same four scores; uniform is the teacher, so that KL = log Σ e^s − mean(s) − log 4.
    loss = method(tmp_path, scale=1.0).loss(batch, torch.zeros(2, 4))
    scores = torch.tensor([2.0, 1.0, 0.5, -1.0])
    expected = float(torch.logsumexp(scores, 0) - scores.mean()) - np.log(4)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_gradient_is_student_minus_teacher_over_the_batch(batch: View, tmp_path: Path):
    opinion = torch.tensor([[1.0, 0.0, 0.2, 0.1], [0.3, 0.0, 0.9, 0.2]])
    method(tmp_path, scale=1.0, teacher_temperature=0.25).loss(batch, opinion).backward()
    student, teacher = torch.softmax(batch.all_scores.detach(), 1), torch.softmax(opinion / 0.25, 1)
    expected = ((student - teacher) / 2).sum(dim=0)  # document vectors are scores, shared by both queries
    assert gradient(batch) == [pytest.approx(line) for line in expected.view(2, 2).tolist()]


def test_a_cold_teacher_is_cross_entropy_on_its_best(batch: View, tmp_path: Path):
    opinion = torch.tensor([[1.0, 0.0, 0.2, 0.1], [0.3, 0.0, 0.2, 0.9]])
    cold = method(tmp_path, scale=1.0, teacher_temperature=1e-3).loss(batch, opinion)
    hard = torch.nn.functional.cross_entropy(batch.all_scores, opinion.argmax(dim=1))
    assert cold.item() == pytest.approx(hard.item(), abs=1e-5)


def test_label_term_leaves_out_what_is_relevant(tmp_path: Path):
    relevant = torch.tensor([[True, False, True, False], [False, False, True, False]])
    batch = view([[2.0, 1.0], [0.5, -1.0]], relevant=relevant)
    opinion = batch.all_scores.detach()
    one = method(tmp_path, scale=1.0, teacher_temperature=1.0, label_weight=1.0).loss(batch, opinion).item()
    first = np.log(np.exp([2.0, 1.0, -1.0]).sum()) - 2.0
    second = np.log(np.exp([2.0, 1.0, 0.5, -1.0]).sum()) - 0.5
    assert one == pytest.approx((first + second) / 2, rel=1e-5)


def test_teacher_loss_by_hand(tmp_path: Path):
    relevant = torch.tensor([[True, False, True, False], [False, False, True, False]])
    batch = view([[2.0, 1.0], [0.5, -1.0]], relevant=relevant)
    # Scores are 2, 1, 0.5, -1 for both queries, times 3; document 2 is relevant to query 0 as well.
    first = np.log(np.exp([6.0, 3.0, -3.0]).sum()) - 6.0
    second = np.log(np.exp([6.0, 3.0, 1.5, -3.0]).sum()) - 1.5
    found = method(tmp_path, teacher_scale=3.0).teacher_loss(batch)
    assert found.item() == pytest.approx((first + second) / 2, rel=1e-5)


def test_one_token_a_text_is_the_student_itself(bare_encoder: str, tmp_path: Path):
    given = context(tmp_path)
    queries, documents = torch.randn(2, 3), torch.randn(4, 3)
    teacher = LateStudent(bare_encoder, given, 16).matrix(_alone(queries), _alone(documents))
    assert torch.allclose(teacher, DenseStudent(bare_encoder, given, 16).matrix(queries, documents))
    batch = view([[0.0] * 2] * 2, query_vectors=queries, document_vectors=documents.view(2, 2, 3))
    loss = method(tmp_path, scale=1.0, teacher_temperature=1.0).loss(batch, teacher)
    assert loss.item() == pytest.approx(0.0, abs=1e-6)


def _alone(vectors: Float[Tensor, "texts dim"]) -> Tokens:
    return Tokens(vectors.unsqueeze(1), torch.ones(len(vectors), 1, dtype=torch.bool))


def test_the_teacher_scores_the_whole_batch_whatever_its_order(bare_encoder: str, tmp_path: Path):
    made = method(tmp_path)
    given = lesson(bare_encoder, None, tmp_path)
    course = Course(lesson=given, context=context(tmp_path), config=Config(**OPTIONS))
    teacher, lists = LateStudent(bare_encoder, course.context, 16), course.lists()
    one, other = (lists.view(course.student(), order) for order in ([3, 11, 20], [20, 3, 11]))
    first, second = made.opinion(teacher, one), made.opinion(teacher, other)
    queries = teacher.embed([query.text for query in one.queries], "query")
    alone = torch.cat([teacher.matrix(queries, teacher.embed([text], "document")) for text in one.texts], dim=1)
    assert torch.allclose(first, Config(**OPTIONS).teacher_scale * alone, atol=1e-4)
    assert not first.requires_grad
    moved = first[[2, 0, 1]][:, [4, 5, 0, 1, 2, 3]]
    assert torch.allclose(moved, second, atol=1e-5)


class Permuted(TctColbert):
    """Its teacher's opinions belong to other documents of the batch."""

    def opinion(self, teacher: LateStudent, view: View) -> Float[Tensor, "queries all_docs"]:
        return super().opinion(teacher, view).flip(dims=(1,))


def test_learns_what_its_teacher_says_and_nothing_from_permuted_opinions(bare_encoder: str, tmp_path: Path):
    def after(kind: type[TctColbert]) -> float:
        folder = tmp_path / kind.__name__
        config = Config(steps=40, batch=16, **OPTIONS)
        return learnt(kind(config, context(folder)), lesson(bare_encoder, None, folder))

    honest, permuted = after(TctColbert), after(Permuted)
    assert honest > 0.7
    assert permuted < honest - 0.1


def test_steps_are_shared_and_one_vector_a_document_is_kept(bare_encoder: str, tmp_path: Path):
    given = lesson(bare_encoder, None, tmp_path)
    student = method(tmp_path, steps=5, teacher_share=0.4).distil(given)
    folder = context(tmp_path).training
    curves = json.loads((folder / "record.json").read_text())["curves"]
    assert {name: len(curve) for name, curve in curves.items()} == {"teacher": 2, "train": 3}
    student.index(given.corpus)
    (tmp_path / "dense").mkdir()
    student.save(tmp_path / "dense")
    teacher = LateStudent(str(folder / TEACHER), context(tmp_path), 16)
    tokens = teacher.embed(list(given.corpus.contents()), "document")
    assert int(tokens.mask.sum()) > 4 * len(given.corpus)
    assert files.read(tmp_path / "dense", KIND, given.corpus)["vectors"].shape == (6 * len(TOPICS), 128)


@pytest.mark.parametrize("start", ["teacher", "checkpoint"])
def test_where_the_student_starts(start: str, bare_encoder: str, tmp_path: Path):
    method(tmp_path, steps=2, start=start, scale=0.0).distil(lesson(bare_encoder, None, tmp_path))
    folder = context(tmp_path).training
    teacher, student = LateStudent(str(folder / TEACHER), context(tmp_path), 16), str(folder / "student")
    theirs = _norms(teacher)
    assert (_norms(DenseStudent(student, context(tmp_path), 16)) == theirs) == (start == "teacher")


def _norms(student: LateStudent | DenseStudent) -> list[float]:
    """Of the transformer's vectors, which no weight decay moves."""
    return [tensor.norm().item() for name, tensor in student.model[0].named_parameters() if "bias" in name]

"""The card's behaviour checks: both models move, lists are freed of false negatives, and the teacher is heard."""

import dataclasses
import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from harness_rocketqav2 import Config
from harness_rocketqav2.lists import denoised, hybrid, places
from harness_rocketqav2.method import RERANKER, RocketQaV2, read
from scipy.stats import kendalltau

from harness.contracts import Lesson
from harness.errors import DataError
from harness.nn.course import Course
from harness.nn.losses import kl
from harness.nn.mining import Candidates
from harness.nn.students import DenseStudent, PairStudent
from harness.nn.view import View
from harness.records import Query
from harness.testing import DistillerContract
from harness.testing.topics import TopicTeacher, context, learnt, lesson
from harness.testing.views import gradient, view

OPTIONS: dict[str, Any] = {
    "documents": 3,
    "last_rank": 30,
    "batch": 8,
    "learning_rate": 1e-3,
    "max_length": 16,
    "first_share": 0.0,
    "warm_share": 0.5,
    "joint_rate": 1.0,
}


class TestContract(DistillerContract):
    plugin = "rocketqav2"
    options = {"steps": "4", "documents": "3", "last_rank": "10", "batch": "4"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


def method(folder: Path, **options: Any) -> RocketQaV2:
    chosen: dict[str, Any] = {**OPTIONS, "scale": 1.0, **options}
    return RocketQaV2(Config(**chosen), context(folder))


def loss(of: View, reread: torch.Tensor, mask: torch.Tensor | None = None, **options: Any) -> torch.Tensor:
    return method(Path("unused"), **options).loss(of, reread, mask=mask)


@pytest.fixture
def batch() -> View:
    return view([[2.0, 1.0, 0.0], [0.5, -1.0, 0.3]])


@pytest.fixture
def reread() -> torch.Tensor:
    return torch.tensor([[1.0, 3.0, 0.0], [0.0, 0.5, 2.0]], requires_grad=True)


def test_by_hand(batch: View, reread: torch.Tensor):
    c, d = torch.softmax(reread.detach(), 1), torch.softmax(batch.scores.detach(), 1)
    labels = -c[:, 0].log().mean().item()
    forward, reverse = (c * (c / d).log()).sum(1).mean().item(), (d * (d / c).log()).sum(1).mean().item()
    assert loss(batch, reread).item() == pytest.approx(forward + labels, rel=1e-5)
    assert loss(batch, reread, direction="reverse").item() == pytest.approx(reverse + labels, rel=1e-5)
    weighted = loss(batch, reread, divergence_weight=1 / 3, label_weight=2.0)
    assert weighted.item() == pytest.approx(forward / 3 + 2 * labels, rel=1e-5)


def test_gradient_on_the_retriever_is_its_distribution_minus_the_rerankers(batch: View, reread: torch.Tensor):
    c, d = torch.softmax(reread.detach(), 1), torch.softmax(batch.scores.detach(), 1)
    loss(batch, reread).backward()
    assert gradient(batch) == [pytest.approx(line, abs=1e-6) for line in ((d - c) / 2).tolist()]


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_the_reranker_moves_without_labels_unless_it_is_the_target(batch: View, reread: torch.Tensor, direction: str):
    loss(batch, reread, label_weight=0.0, direction=direction).backward(retain_graph=True)
    assert reread.grad is not None
    assert reread.grad.abs().max() > 0.01
    reread.grad = None
    loss(batch, reread, label_weight=0.0, direction=direction, detach_target=True).backward()
    assert reread.grad is None or not reread.grad.any()


def test_one_document_and_a_constant_change_nothing(batch: View, reread: torch.Tensor):
    assert loss(view([[2.0]]), torch.tensor([[7.0]])).item() == 0
    only = torch.tensor([[True, False, False]]).repeat(2, 1)
    assert loss(batch, reread, only).item() == 0
    shifted = reread + torch.tensor([[5.0], [-3.0]])
    assert loss(batch, shifted).item() == pytest.approx(loss(batch, reread).item(), rel=1e-5)


def test_what_is_masked_gets_no_gradient(batch: View, reread: torch.Tensor):
    loss(batch, reread, torch.tensor([[True, False, True], [True, True, False]])).backward()
    assert reread.grad is not None
    assert [gradient(batch)[0][1], gradient(batch)[1][2]] == [0, 0]
    assert [reread.grad[0, 1].item(), reread.grad[1, 2].item()] == [0, 0]


def test_places_are_blind_to_shift_and_scale():
    scores = np.array([[4.0, 2.0, 0.0, 5.0], [1.0, 1.0, 3.0, 2.0]], np.float32)
    expected = [[1.0, 0.5, 0.0, 1.25], [np.nan] * 4]
    np.testing.assert_allclose(places(scores), expected)
    np.testing.assert_allclose(places(7 * scores - 3), expected)


def lists(rows: list[list[int]]) -> Candidates:
    queries = tuple(Query(id=str(place), text=str(place)) for place in range(len(rows)))
    return Candidates(queries=queries, rows=np.array(rows, np.int32))


def test_denoised_by_hand():
    # Query 0 loses document 11, and 12 may be its positive; query 1 is contradicted by its teacher.
    where = np.array([[1.0, 0.7, 1.5, 0.2], [np.nan] * 4], np.float32)
    given, outcomes = lists([[10, 11, 12, 13], [20, 21, 22, 23]]), []
    for draw in range(20):
        found = denoised(given, where, doubtful=0.5, trusted=1.0, draw=draw)
        assert [query.id for query in found.candidates.queries] == ["0"]
        assert found.counts.tolist() == [[True, False, False, True]]
        outcomes.append(tuple(found.candidates.rows[0].tolist()))
    assert set(outcomes) == {(10, 11, 12, 13), (12, 11, 10, 13)}
    assert given.rows.tolist() == [[10, 11, 12, 13], [20, 21, 22, 23]]


def test_a_query_has_one_denoised_list_however_many_documents_are_trusted():
    scores = np.array([[1.0, 2.0, 3.0, 4.0, 0.0]] * 6, np.float32)
    given = lists([[10 * row + column for column in range(5)] for row in range(6)])
    found = hybrid(given, scores, "both", doubtful=0.5, trusted=1.0, draw=0)
    assert [query.id for query in found.candidates.queries] == [str(place) for place in range(6)] * 2
    assert len({row % 10 for row in found.candidates.rows[6:, 0].tolist()}) > 1


def test_planted_false_negatives_leave_denoised_lists(tmp_path: Path):
    planted = {row: 1000 + row for row in range(12)}  # a copy of each positive among its negatives
    given = lists([[row, planted[row], 100 + row, 200 + row] for row in range(12)])
    scores = np.tile(np.array([[3.0, 3.0, 0.0, 0.5]], np.float32), (12, 1))

    def left(kind: Any) -> float:
        found = hybrid(given, scores, kind, doubtful=0.5, trusted=1.0, draw=0)
        negatives = np.where(found.counts, found.candidates.rows, -1)[:, 1:]
        return float(np.isin(negatives, list(planted.values())).sum() / (negatives >= 0).sum())

    assert left("raw") == pytest.approx(1 / 3)
    assert left("denoised") == 0
    assert left("denoised") < left("both") < left("raw")


def test_refuses_denoised_lists_without_negatives():
    with pytest.raises(DataError, match="no negative below"):
        hybrid(lists([[0, 1]]), np.array([[0.0, 1.0]], np.float32), "denoised", doubtful=0.5, trusted=1.0, draw=0)


def trained(encoder: str, folder: Path, teacher: TopicTeacher, **options: Any) -> Lesson:
    given = lesson(encoder, teacher, folder)
    method(folder, **{"scale": 20.0, **options}).distil(given)
    return given


def curve(folder: Path, name: str) -> list[float]:
    return json.loads((context(folder).training / "record.json").read_text())["curves"][name]


def test_a_frozen_reranker_is_plain_listwise_distillation(bare_encoder: str, tmp_path: Path):
    options: dict[str, Any] = {"steps": 8, "joint": False, "lists": "raw"}
    given = trained(bare_encoder, tmp_path / "ours", TopicTeacher(), **options)
    course = Course(lesson=given, context=context(tmp_path / "ours"), config=Config(**OPTIONS, **options, scale=20.0))
    frozen = PairStudent(str(course.context.training / RERANKER), course.context, 16)
    frozen.model.eval()
    raw, retriever = course.lists(), course.student()
    with torch.no_grad():
        scores = read(frozen, raw.view(retriever, range(len(raw)))).numpy()
    (tmp_path / "plain" / "work").mkdir(parents=True)
    plain = dataclasses.replace(course, context=context(tmp_path / "plain"))
    stages = [  # the first as ours is, so that chance in the second is the same
        plain.stage("warm", plain.pair_student(), method(tmp_path).warm_loss, plain.taught(), steps=4),
        plain.stage("joint", retriever, _static, plain.lists(teacher=scores), steps=4),
    ]
    plain.train(stages)
    assert curve(tmp_path / "ours", "joint") == pytest.approx(curve(tmp_path / "plain", "joint"), rel=1e-3)


def _static(view: View) -> torch.Tensor:
    assert view.teacher is not None
    return kl(20.0 * view.scores, view.teacher)


def agreement(retriever: DenseStudent, reranker: PairStudent, given: Lesson, folder: Path) -> float:
    course = Course(lesson=given, context=context(folder), config=Config(**OPTIONS))
    retriever.model.eval()
    reranker.model.eval()
    with torch.no_grad():
        seen = course.lists().view(retriever, range(48))
        pairs = zip(seen.scores.tolist(), read(reranker, seen).tolist(), strict=True)
    return float(np.mean([cast(Any, kendalltau(ours, theirs)).statistic for ours, theirs in pairs]))


def test_learns_together_what_the_teacher_knows(bare_encoder: str, tmp_path: Path):
    def after(teacher: TopicTeacher, name: str, **options: Any) -> float:
        folder = tmp_path / name
        return learnt(method(folder, steps=70, scale=20.0, **options), lesson(bare_encoder, teacher, folder))

    honest = after(TopicTeacher(), "honest")
    assert honest > 0.7
    assert after(TopicTeacher(permuted=True), "permuted") < honest - 0.2
    assert after(TopicTeacher(), "unlabelled", label_weight=0.0) < honest - 0.1  # they agree on something easier
    given, here, now = lesson(bare_encoder, None, tmp_path / "new"), context(tmp_path / "new"), tmp_path / "honest"
    before = agreement(DenseStudent(bare_encoder, here, 16), PairStudent(bare_encoder, here, 16), given, tmp_path)
    folder = context(now).training
    models = DenseStudent(str(folder / "student"), here, 16), PairStudent(str(folder / RERANKER), here, 16)
    assert agreement(*models, given, tmp_path) > before + 0.2


def test_each_learns_alone_before_they_learn_together(bare_encoder: str, tmp_path: Path):
    trained(bare_encoder, tmp_path, TopicTeacher(), steps=10, first_share=0.5, warm_share=0.3)
    curves = json.loads((context(tmp_path).training / "record.json").read_text())["curves"]
    assert {name: len(losses) for name, losses in curves.items()} == {"first": 5, "warm": 3, "joint": 2}
    assert curves["first"][-1] < curves["first"][0]
    with pytest.raises(ValueError, match="leave steps for both together"):
        Config(first_share=0.7, warm_share=0.3)


def test_they_learn_together_at_a_share_of_the_rate(bare_encoder: str, tmp_path: Path):
    def moved(rate: float) -> float:
        """How far the retriever, which learns with the reranker only, has come."""
        folder = tmp_path / str(rate)
        trained(bare_encoder, folder, TopicTeacher(), steps=4, joint_rate=rate)
        models = [
            DenseStudent(place, context(folder), 16)
            for place in (bare_encoder, str(context(folder).training / "student"))
        ]
        before, after = (torch.cat([part.detach().flatten() for part in found.model.parameters()]) for found in models)
        return float((after - before).norm())

    assert 0 < moved(0.01) < 0.05 * moved(1.0)


def test_reranks_at_the_end_where_asked(bare_encoder: str, tmp_path: Path):
    given = lesson(bare_encoder, TopicTeacher(), tmp_path)
    found = method(tmp_path, steps=2, rerank=5).distil(given)
    found.index(given.corpus)
    assert (found.search([given.examples[0].query], 10).rows >= 0).sum() == 5


def test_refuses_cut_offs_the_wrong_way_round():
    with pytest.raises(ValueError, match="trusted expects at least doubtful"):
        Config(doubtful=0.9, trusted=0.5)

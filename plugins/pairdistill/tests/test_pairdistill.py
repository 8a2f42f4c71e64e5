"""The card's behaviour checks: the pairwise loss, which pairs are asked for, and what it adds to the listwise one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_pairdistill import Config
from harness_pairdistill.method import PairDistill, preference_divergence
from harness_pairdistill.pairs import chosen, count, near

from harness.contracts import Retriever
from harness.nn.losses import info_nce, kl
from harness.records import Budget, Document, Query
from harness.testing import DistillerContract
from harness.testing.teachers import Counter
from harness.testing.topics import FORMS, TOPICS, TopicTeacher, context, corpus, learnt, lesson
from harness.testing.views import gradient, view

OPTIONS: dict[str, Any] = {"documents": 6, "last_rank": 30, "batch": 16, "learning_rate": 5e-4, "max_length": 16}
COLUMNS, CHANCES = torch.tensor([[[0, 1], [2, 1]], [[1, 0], [0, 2]]]), torch.tensor([[0.9, 0.4], [0.2, 0.5]])


class TestContract(DistillerContract):
    plugin = "pairdistill"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


def method(folder: Path, **options: Any) -> PairDistill:
    chosen: dict[str, Any] = {**OPTIONS, **options}
    return PairDistill(Config(**chosen), context(folder))


def batch():
    return view([[2.0, 1.0, 0.0], [0.5, -1.0, 0.3]], [[1.0, 3.0, 0.0], [0.0, 0.5, 2.0]])


def loss(columns: torch.Tensor = COLUMNS, chances: torch.Tensor = CHANCES, **options: Any) -> float:
    return method(Path("unused"), **{"scale": 1.0, **options}).loss(batch(), columns, chances).item()


def test_pairwise_loss_by_hand():
    p, s = 0.9, 1 / (1 + np.exp(-1.0))
    expected = p * np.log(p / s) + (1 - p) * np.log((1 - p) / (1 - s))
    assert preference_divergence(torch.tensor([1.0]), torch.tensor([0.9])).item() == pytest.approx(expected, rel=1e-5)
    certain = preference_divergence(torch.tensor([1.0]), torch.tensor([1.0]))
    assert certain.item() == pytest.approx(-np.log(s), rel=1e-5)


def test_agreement_costs_nothing_and_moves_nothing():
    margins = torch.tensor([1.0, -2.0, 0.3], requires_grad=True)
    found = preference_divergence(margins, torch.sigmoid(margins.detach()))
    found.backward()
    assert found.item() == pytest.approx(0.0, abs=1e-6)
    assert margins.grad is not None
    assert margins.grad.abs().max() < 1e-6


def test_the_order_in_which_a_pair_stands_does_not_matter():
    assert loss(COLUMNS.flip(dims=(2,)), 1 - CHANCES) == pytest.approx(loss(), rel=1e-6)


def test_gradient_is_the_error_over_the_number_of_pairs():
    seen = batch()
    only = {"point_weight": 0.0, "contrast_weight": 0.0, "pair_weight": 1.0, "scale": 1.0}
    method(Path("unused"), **only).loss(seen, COLUMNS[:, :1], CHANCES[:, :1]).backward()
    first, second = torch.sigmoid(torch.tensor([2.0 - 1.0, -1.0 - 0.5])).tolist()
    expected = [[(first - 0.9) / 2, (0.9 - first) / 2, 0.0], [(0.2 - second) / 2, (second - 0.2) / 2, 0.0]]
    assert gradient(seen) == [pytest.approx(line, abs=1e-6) for line in expected]


def test_without_pairs_it_is_listwise_and_contrastive():
    seen = batch()
    assert seen.teacher is not None
    point = kl(seen.scores, 2 * seen.teacher, student_temperature=0.5).item()
    listwise: dict[str, Any] = {"pair_weight": 0.0, "contrast_weight": 0.0, "teacher_scale": 2.0, "temperature": 0.5}
    assert loss(**listwise) == pytest.approx(point, rel=1e-6)
    contrast = info_nce(seen.all_scores, seen.positives, mask=seen.candidates).item()
    none = loss(COLUMNS[:, :0], CHANCES[:, :0], teacher_scale=2.0, temperature=0.5)
    assert none == pytest.approx(point + contrast, rel=1e-6)


def test_a_late_interaction_students_negatives_are_of_other_queries():
    seen = view([[2.0, 1.9, 0.0], [0.5, 0.4, 0.3]], [[1.0, 2.0, 3.0]] * 2)
    alone: dict[str, Any] = {"point_weight": 0.0, "pair_weight": 0.0, "scale": 1.0}
    found = method(Path("unused"), form="late-interaction", **alone).loss(seen, COLUMNS[:, :0], CHANCES[:, :0]).item()
    rows = [[2.0, 0.5, 0.4, 0.3], [0.5, 2.0, 1.9, 0.0]]
    assert found == pytest.approx(np.mean([np.log(np.exp(row).sum()) - row[0] for row in rows]), rel=1e-5)


def test_pairs_lie_in_the_window_and_are_of_two_documents():
    scores = np.random.default_rng(0).normal(size=(20, 12)).astype(np.float32)
    place = np.argsort(np.argsort(-scores, axis=1), axis=1)
    found = chosen(scores, window=3, most=10, seed=0)
    assert found.shape == (20, 10, 2)
    apart = np.take_along_axis(place, found[:, :, 1], 1) - np.take_along_axis(place, found[:, :, 0], 1)
    assert set(apart.ravel().tolist()) == {1, 2, 3}
    assert all(len({tuple(pair) for pair in line}) == 10 for line in found.tolist())
    assert np.array_equal(found[:5], chosen(scores[:5], window=3, most=10, seed=0))


def test_near_pairs_by_hand():
    assert near(np.array([0.0, 2.0, 1.0], np.float32), 1) == [(1, 2), (2, 0)]
    assert [count(3, 1, 99), count(5, 2, 99), count(5, 2, 4), count(2, 5, 99)] == [2, 7, 4, 1]
    assert len(near(np.zeros(5, np.float32), 2)) == count(5, 2, 99)


class Fine(TopicTeacher):
    """Scores have two levels; preferences also know how good a form is, or are drawn by lot."""

    def __init__(self, lot: bool = False) -> None:
        super().__init__()
        self.lot = lot

    def prefer(self, triples: Sequence[tuple[Query, Document, Document]]) -> np.ndarray:
        if self.lot:
            texts = [query.text + a.content + b.content for query, a, b in triples]
            return np.array([np.random.default_rng(list(text.encode())).random() for text in texts], np.float32)
        levels = self.score([(query, a) for query, a, _ in triples]) - self.score([(q, b) for q, _, b in triples])
        finer = np.array([_quality(a) - _quality(b) for _, a, b in triples], np.float32)
        return 1 / (1 + np.exp(-levels - finer))


def _quality(document: Document) -> float:
    return next(0.8 * place for place, form in enumerate(FORMS) if document.content.startswith(form))


class Kept:
    """A distiller that keeps what it makes."""

    def __init__(self, inner: PairDistill) -> None:
        self._inner = inner

    def distil(self, lesson: Any) -> Retriever:
        self.made = self._inner.distil(lesson)
        return self.made


def ordered(made: Retriever, folder: Path) -> float:
    """Share of pairs of documents on a query's topic that stand in the order of their forms."""
    documents = corpus(folder)
    run = made.search([Query(id=topic, text=f"tell me something on {topic}") for topic in TOPICS], len(documents))
    right: list[bool] = []
    for topic, rows in zip(TOPICS, run.rows.tolist(), strict=True):
        places = [rows.index(documents.row_of(f"{topic}{place}")) for place in range(len(FORMS))]
        right += [places[j] < places[i] for j in range(len(FORMS)) for i in range(j)]
    return float(np.mean(right))


def test_preferences_order_what_scores_leave_open(bare_encoder: str, tmp_path: Path):
    def after(teacher: TopicTeacher, name: str, **options: Any) -> float:
        kept = Kept(method(tmp_path / name, steps=50, **options))
        assert learnt(kept, lesson(bare_encoder, teacher, tmp_path / name)) > 0.7
        return ordered(kept.made, tmp_path / f"{name}-corpus")

    alone = after(Fine(), "alone", pair_weight=0.0)
    assert after(Fine(), "both") > alone + 0.1
    assert after(Fine(lot=True), "lot") < alone + 0.1


def test_learns_nothing_from_a_permuted_teacher(bare_encoder: str, tmp_path: Path):
    def after(teacher: TopicTeacher) -> float:
        made = method(tmp_path / teacher.identity, steps=40, contrast_weight=0.0)
        return learnt(made, lesson(bare_encoder, teacher, tmp_path / teacher.identity))

    honest, permuted = after(TopicTeacher()), after(TopicTeacher(permuted=True))
    assert honest > 0.7
    assert permuted < honest - 0.2


@pytest.mark.parametrize("form", ["dense", "late-interaction"])
def test_rounds_share_steps_and_teacher_calls(form: str, bare_encoder: str, tmp_path: Path):
    counter, budget = Counter(), Budget(teacher_calls=320)
    given = lesson(bare_encoder, counter.watch(TopicTeacher()), tmp_path, budget)
    made = method(tmp_path, steps=5, rounds=2, pairs=4, batch=4, form=form)
    made.distil(given)
    record = json.loads((context(tmp_path).training / "record.json").read_text())
    assert {name: len(curve) for name, curve in record["curves"].items()} == {"round-1": 2, "round-2": 3}
    assert len(set(record["candidates"])) == 2
    assert counter.calls == 2 * 16 * (6 + 4)

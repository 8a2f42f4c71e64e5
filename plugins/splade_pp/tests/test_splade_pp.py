"""The card's behaviour checks: vectors, penalty, margins, sparsity, two rounds, and which scenario learns more."""

import dataclasses
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_splade_pp import CARD, Config
from harness_splade_pp.method import SpladePp

from harness.config import parse
from harness.nn.losses import flops, ramp
from harness.nn.regularised import splade
from harness.nn.students import LookupStudent, SparseStudent
from harness.plugins import registry
from harness.records import Budget, Document, Query
from harness.testing import DistillerContract
from harness.testing.topics import TopicTeacher, context, learnt, lesson
from harness.testing.views import gradient, view

KNOBS: dict[str, Any] = {
    "steps": 25,
    "documents": 6,
    "last_rank": 30,
    "batch": 16,
    "learning_rate": 5e-4,
    "max_length": 16,
}
LABELS = {"ranking": "contrastive", "lambda_q": 3e-4, "lambda_d": 1e-4}


class TestContract(DistillerContract):
    plugin = "splade-pp"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4", "max_length": "32"}  # noqa: RUF012

    @pytest.fixture
    def student(self, small_splade: str) -> str:
        return small_splade


class TestTwoRounds(TestContract):
    options = TestContract.options | {"rounds": "2"}


def method(folder: Path, **knobs: Any) -> SpladePp:
    return SpladePp(Config(**(KNOBS | knobs)), context(folder))


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "work" / "training" / "record.json").read_text())


Taught = Callable[..., tuple[float, dict[str, Any]]]


@pytest.fixture(scope="module")
def taught(small_splade: str, tmp_path_factory: pytest.TempPathFactory) -> Taught:
    """Train; what was learnt, and the record."""

    def train(teacher: Any, student: str = small_splade, **knobs: Any) -> tuple[float, dict[str, Any]]:
        folder = tmp_path_factory.mktemp("taught")
        return learnt(method(folder, **knobs), lesson(student, teacher, folder)), record(folder)

    return train


@pytest.fixture(scope="module")
def distilled(taught: Taught) -> tuple[float, dict[str, Any]]:
    return taught(TopicTeacher())


@pytest.fixture(scope="module")
def wide(small_splade: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same model with every logit raised, so that all terms are active, as in a language model before training."""
    from transformers import AutoModelForMaskedLM

    folder = tmp_path_factory.mktemp("wide")
    shutil.copytree(small_splade, folder, dirs_exist_ok=True)
    model = AutoModelForMaskedLM.from_pretrained(small_splade)
    with torch.no_grad():
        model.cls.predictions.bias += 6
    model.save_pretrained(folder)
    return str(folder)


def test_weights_are_not_negative_and_padding_changes_none(small_splade: str, tmp_path: Path):
    student = SparseStudent(small_splade, context(tmp_path), 16)
    alone = student.forward(["a lemon"], "document")
    padded = student.forward(["a lemon", "a short text of the history of the parliament"], "document")
    assert bool((padded >= 0).all() & (alone > 0).any())
    torch.testing.assert_close(padded[:1], alone, atol=1e-5, rtol=1e-4)


def test_a_text_twice_is_the_text(small_splade: str, tmp_path: Path):
    """Maximum, not sum: for a bag of words exactly, for the encoder nearly."""
    bag = LookupStudent(small_splade, context(tmp_path), 16)
    assert torch.equal(*bag.embed(["the best lemon", "the best lemon the best lemon"], "query"))
    once, twice = SparseStudent(small_splade, context(tmp_path), 16).embed(["best lemon", "best lemon " * 2], "query")
    assert torch.cosine_similarity(once, twice, dim=0) > 0.9
    assert twice.sum() < 1.3 * once.sum()


def test_flops_by_hand():
    same = torch.tensor([1.0, 0.0, 3.0]).repeat(5, 1)
    assert flops(same).item() == pytest.approx(1 + 9)
    assert flops(torch.eye(4)).item() == pytest.approx(1 / 4)
    assert ramp(25, 50, 0.4) == pytest.approx(0.25 * 0.4)


def test_margins_are_blind_to_a_constant_for_each_query_and_turn_with_the_pair():
    loss = splade(Config(lambda_q=0, lambda_d=0), 10)
    teacher = [[3.0, 1.0], [8.0, 7.5]]
    shifted = [[score + constant for score in line] for line, constant in zip(teacher, (5.0, -4.0), strict=True)]
    assert loss(view(shifted, teacher)).item() == pytest.approx(0, abs=1e-9)
    of, swapped = view([[2.0, 1.0]], [[3.0, 0.0]]), view([[1.0, 2.0]], [[0.0, 3.0]])
    loss(of).backward()
    loss(swapped).backward()
    assert gradient(of)[0] == pytest.approx([2 * (1 - 3), -2 * (1 - 3)])
    assert gradient(swapped)[0] == pytest.approx(gradient(of)[0][::-1])


def test_learns_from_the_teacher_and_nothing_from_a_permuted_one(
    distilled: tuple[float, dict[str, Any]], taught: Taught
):
    assert distilled[0] > 0.8
    assert taught(TopicTeacher(permuted=True))[0] < distilled[0] - 0.3


def test_distillation_and_mined_negatives_beat_labels_alone(distilled: tuple[float, dict[str, Any]], taught: Taught):
    """At equal steps over all rounds; no teacher is there where labels are learnt."""
    labels, mined = (taught(None, **LABELS, rounds=rounds)[0] for rounds in (1, 2))
    assert distilled[0] > max(labels, mined)
    assert taught(TopicTeacher(), rounds=2)[0] > labels


def test_the_higher_lambda_the_sparser(wide: str, taught: Taught):
    found = [
        taught(None, wide, ranking="contrastive", lambda_q=weight, lambda_d=weight)[1]["sparsity"]
        for weight in (0.0, 0.01, 0.5)
    ]
    for measure in ("flops", "query_terms", "document_terms"):
        values = [cost[measure] for cost in found]
        assert values == sorted(set(values), reverse=True), measure
    assert found[0]["document_terms"] > 10 * found[2]["document_terms"]


def test_an_extreme_lambda_hurts(distilled: tuple[float, dict[str, Any]], taught: Taught):
    found, told = taught(TopicTeacher(), lambda_q=100.0, lambda_d=100.0)
    assert found < distilled[0] - 0.1
    assert told["sparsity"]["document_terms"] < distilled[1]["sparsity"]["document_terms"]


def test_expansion(small_splade: str, tmp_path: Path):
    """Trained documents have terms that are not in their texts."""
    given = lesson(small_splade, TopicTeacher(), tmp_path)
    method(tmp_path, steps=5, lambda_q=0.0, lambda_d=0.0).distil(given)
    trained = SparseStudent(str(tmp_path / "work" / "training" / "student"), context(tmp_path), 16)
    written = LookupStudent(small_splade, context(tmp_path), 16).embed(given.corpus.contents(), "query") > 0
    expanded = (trained.embed(given.corpus.contents(), "document") > 0) & ~written
    assert expanded.any(dim=1).float().mean() > 0.5
    untrained = SparseStudent(small_splade, context(tmp_path), 16).embed(given.corpus.contents(), "document") > 0
    assert not torch.equal(untrained & ~written, expanded)  # training decides which they are


class Asked(TopicTeacher):
    """Remembers how much it was asked; fails at a call if told so."""

    def __init__(self, fails_at: int = 0) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.fails_at = fails_at

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> np.ndarray:
        self.calls.append(len(pairs))
        if len(self.calls) == self.fails_at:
            raise ConnectionError("gone")
        return super().score(pairs)


def test_two_rounds_share_steps_and_calls(small_splade: str, tmp_path: Path):
    teacher = Asked()
    budget = Budget(teacher_calls=100)
    method(tmp_path, steps=12, rounds=2, first=0.25).distil(lesson(small_splade, teacher, tmp_path, budget))
    told = record(tmp_path)
    assert teacher.calls == [48, 48]  # eight lists of six for each round
    assert {name: len(curve) for name, curve in told["curves"].items()} == {"first": 3, "second": 9}
    assert told["account"]["steps"] == 12
    assert len(set(told["candidates"])) == 2  # the second round's negatives are others


def test_the_second_round_goes_on_where_it_was_stopped(small_splade: str, tmp_path: Path):
    def run(folder: Path, teacher: Asked) -> np.ndarray:
        given = lesson(small_splade, teacher, tmp_path / "lesson")
        (tmp_path / "lasting" / folder.name).mkdir(parents=True, exist_ok=True)
        own = dataclasses.replace(context(tmp_path / "lesson"), lasting=tmp_path / "lasting" / folder.name)
        knobs: dict[str, Any] = KNOBS | {"steps": 6, "rounds": 2}
        retriever = SpladePp(Config(**knobs), own).distil(given)
        retriever.index(given.corpus)
        return retriever.search([Query(id="q", text="a lemon and a spider")], 5).scores

    whole = run(tmp_path / "whole", Asked())
    with pytest.raises(ConnectionError):
        run(tmp_path / "stopped", Asked(fails_at=2))
    assert run(tmp_path / "stopped", Asked()) == pytest.approx(whole, abs=1e-6)


def test_presets_are_the_papers_scenarios():
    found = {name: parse(registry(), CARD, {"preset": name}) for name in CARD.presets}
    assert found["baseline"].ranking == "contrastive"
    assert {found[name].ranking for name in found if name != "baseline"} == {"margin-mse"}
    assert (found["distil-mse"].rounds, found["self-distil"].rounds) == (1, 2)
    parts = found["ensemble-distil"].negatives.config.parts
    assert [part.name for part in parts] == ["bm25", "dense"]
    other = {"preset": "ensemble-distil", "negatives.parts.dense.model": "mine"}
    assert parse(registry(), CARD, other).negatives.config.parts[1].config.model == "mine"

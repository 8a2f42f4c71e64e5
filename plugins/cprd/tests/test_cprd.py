"""The card's behaviour checks: order is all that counts, and only that of valid hard negatives."""

import dataclasses
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_cprd import Config
from harness_cprd.memory import Memory
from harness_cprd.method import Cprd
from harness_cprd.ranking import rank_by_contrast, valid_negatives

from harness.contracts import Retriever
from harness.nn import course
from harness.nn.losses import info_nce, kl, plackett_luce
from harness.nn.recipe import View, fit
from harness.records import Document, Query
from harness.testing import DistillerContract
from harness.testing.topics import TOPICS, TopicTeacher, context, learnt, lesson
from harness.testing.views import gradient, view

FEW: dict[str, Any] = {"documents": 6, "last_rank": 30, "batch": 16, "learning_rate": 5e-4, "max_length": 16}


class TestContract(DistillerContract):
    plugin = "cprd"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


class TestQueueContract(TestContract):
    options = {**TestContract.options, "queue": "16"}  # noqa: RUF012


def loss(of: View, **options: Any) -> torch.Tensor:
    options.setdefault("temperature", 1.0)
    return Cprd(Config(**options), context(Path("unused"))).loss(of)


SCORES = [[2.0, 1.0, 0.5, -1.0], [0.5, 1.5, -0.5, 0.0]]
TEACHER = [[9.0, 1.0, 3.0, 2.0], [5.0, -1.0, -3.0, -2.0]]


def pushed(teacher: list[list[float]], **options: Any) -> tuple[float, list[list[float]]]:
    """Value and gradients."""
    batch = view(SCORES, teacher)
    found = loss(batch, **options)
    found.backward()
    return found.item(), gradient(batch)


def test_by_hand():
    # Negatives with student scores 1, 0, -2; the teacher puts the second first and the third last, which is easy.
    scores, teacher = torch.tensor([[1.0, 0.0, -2.0]]), torch.tensor([[2.0, 3.0, 1.0]])
    valid, easy = torch.tensor([[True, True, False]]), torch.tensor([[False, False, True]])
    first = -np.log(1 / (1 + np.e + np.exp(-2)))
    second = -np.log(np.e / (np.e + np.exp(-2)))
    assert rank_by_contrast(scores, teacher, valid, easy).item() == pytest.approx((first + second) / 2)
    # What is neither has no part in it.
    assert rank_by_contrast(scores, teacher, valid, ~(valid | easy)).item() == pytest.approx(
        -np.log(1 / (1 + np.e)) / 2
    )


def test_nearest_of_the_student_then_best_of_the_teacher():
    scores, teacher = torch.tensor([[9.0, 4.0, 3.0, 2.0, 1.0]]), torch.tensor([[0.0, 1.0, 9.0, 3.0, 5.0]])
    everybody = torch.tensor([[False, True, True, True, True]])
    asked = torch.tensor([[True, True, False, True, True]])

    def chosen(hard: int, valid: int) -> list[int]:
        found = valid_negatives(scores, teacher, negatives=everybody, asked=asked, hard=hard, valid=valid)
        return found[0].nonzero().flatten().tolist()

    assert chosen(3, 1) == [3]  # of 1, 2, 3; 2 was not asked for
    assert chosen(3, 9) == [1, 3]
    assert chosen(9, 2) == [3, 4]
    assert chosen(0, 9) == chosen(9, 0) == []


def test_only_order_counts():
    expected = pushed(TEACHER)
    for squash in (np.tanh, np.cbrt, lambda x: 0.98 + 0.01 * x):
        mapped = [[float(squash(t / 4)) for t in line] for line in TEACHER]
        value, gradients = pushed(mapped)
        assert value == expected[0]
        assert gradients == expected[1]
    assert pushed([line[:1] + line[:0:-1] for line in TEACHER])[0] != pytest.approx(expected[0])


def test_easy_negatives_have_no_order():
    # Of the three own negatives two are hard, by the student; the third is easy whatever the teacher says.
    nearest: dict[str, Any] = {"hard": 2, "valid": 2}
    expected = pushed([[9.0, 2.0, 1.0, 0.0], [9.0, 2.0, 0.0, 1.0]], **nearest)
    assert pushed([[9.0, 2.0, 1.0, 7.0], [9.0, 2.0, 7.0, 1.0]], **nearest) == expected
    # All are hard and one is valid: the order of the others, which are easy, doesn't count.
    best: dict[str, Any] = {"hard": 8, "valid": 1}
    expected = pushed([[9.0, 5.0, 1.0, 2.0], [9.0, 5.0, 1.0, 2.0]], **best)
    assert pushed([[9.0, 5.0, 2.0, 1.0], [9.0, 5.0, 2.0, 1.0]], **best) == expected
    assert pushed([[9.0, 1.0, 5.0, 2.0], [9.0, 5.0, 1.0, 2.0]], **best) != expected


@pytest.mark.parametrize("none", [{"valid": 0}, {"hard": 0}, {"ranking_weight": 0.0}])
def test_without_valid_negatives_contrastive(none: dict[str, Any]):
    batch = view(SCORES, TEACHER)
    expected = info_nce(batch.all_scores, batch.positives, mask=batch.candidates, symmetric=True)
    assert loss(batch, **none).item() == pytest.approx(expected.item())


def test_one_valid_negative_adds_one_contrastive_term():
    batch = view(SCORES, TEACHER)
    # The teacher's best negatives are the third of the first list and the second of the second.
    others = batch.all_scores.masked_fill(batch.own_positive, -torch.inf)
    term = info_nce(others, torch.tensor([2, 5]))
    plain = loss(batch, valid=0)
    assert loss(batch, hard=8, valid=1, ranking_weight=0.5).item() == pytest.approx((plain + 0.5 * term).item())


def test_all_valid_is_listmle_over_the_negatives():
    batch = view(SCORES[:1], TEACHER[:1])
    negatives = torch.tensor([SCORES[0][1:]])
    expected = plackett_luce(negatives, torch.tensor([[1, 2, 0]])) / 3
    plain = loss(batch, valid=0)
    assert (loss(batch, hard=9, valid=9) - plain).item() == pytest.approx(expected.item())


def test_judged_documents_and_copies_are_no_easy_negatives():
    batch = view(SCORES, TEACHER)
    expected = loss(batch, valid=2).item()
    rows = batch.rows.clone()
    rows[1, 3] = rows[0, 2]  # the second list holds a document of the first: to the first query it isn't easy
    judged = batch.relevant.clone()
    judged[0, 7] = True
    copied = loss(dataclasses.replace(batch, rows=rows), valid=2, ranking_weight=1.0).item()
    known = dataclasses.replace(batch, relevant=judged)
    ranking = [(loss(of, valid=2) - loss(of, ranking_weight=0.0)).item() for of in (batch, known)]
    assert copied < expected
    assert ranking[1] < ranking[0] - 1e-3


class Graded(TopicTeacher):
    """Topics come in twos: a document on the sibling of a query's topic is better than one on another; or by chance."""

    def __init__(self, ordered: bool = True, narrow: bool = False) -> None:
        super().__init__()
        self._ordered, self._narrow = ordered, narrow

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> np.ndarray:
        scores = [self._grade(query.text, document.content) for query, document in pairs]
        return np.array([0.98 + 0.01 * s / 5 for s in scores] if self._narrow else scores, np.float32)

    def _grade(self, query: str, document: str) -> float:
        asked, given = topic(query), topic(document)
        if asked == given:
            return self.gap
        chance = sum((query + document).encode()) * 31 % 17 / 17
        return self.gap / 2 + chance / 10 if asked // 2 == given // 2 and self._ordered else chance


def topic(text: str) -> int:
    return next(TOPICS.index(word) for word in text.split() if word in TOPICS)


def siblings(retriever: Retriever, given: Any) -> float:
    """How far scores of documents off a topic follow whether they are on its sibling: a correlation."""
    retriever.index(given.corpus)
    found: list[tuple[float, bool]] = []
    for number, word in enumerate(TOPICS):
        run = retriever.search([Query(id=word, text=f"tell me something on {word}")], len(given.corpus))
        others = [topic(text) for text in given.corpus.contents(run.rows[0].tolist())]
        scored = zip(run.scores[0].tolist(), others, strict=True)
        found += [(score, other // 2 == number // 2) for score, other in scored if other != number]
    return float(np.corrcoef(np.array(found, float).T)[0, 1])


def test_learns_the_order_and_nothing_of_it_from_chance(bare_encoder: str, tmp_path: Path):
    def after(ordered: bool) -> tuple[float, float]:
        given = lesson(bare_encoder, Graded(ordered), tmp_path / str(ordered))
        # Small batches: the teacher hasn't scored the other lists' documents, so that siblings among them are easy.
        long: dict[str, Any] = {**FEW, "documents": 12, "batch": 2}
        config = Config(steps=45, temperature=0.1, hard=30, valid=11, **long)
        method = Cprd(config, context(tmp_path / str(ordered)))
        return learnt(method, given), siblings(method.distil(given), given)  # the training is over, and not done again

    (relevance, order), (_, none) = after(True), after(False)
    assert relevance > 0.7
    assert order > none + 0.2


def test_a_narrow_band_of_scores_changes_nothing_here_and_harms_kl(bare_encoder: str, tmp_path: Path):
    def curve(narrow: bool) -> list[float]:
        folder = tmp_path / f"cprd-{narrow}"
        Cprd(Config(steps=3, **FEW), context(folder)).distil(lesson(bare_encoder, Graded(narrow=narrow), folder))
        return json.loads((context(folder).training / "record.json").read_text())["curves"]["train"]

    assert curve(True) == curve(False)

    def imitated(narrow: bool) -> float:
        folder = tmp_path / f"kl-{narrow}"
        given, config = lesson(bare_encoder, Graded(narrow=narrow), folder), Config(steps=30, **FEW)

        def loss(view: View) -> torch.Tensor:
            assert view.teacher is not None
            return kl(8 * view.scores, view.teacher)

        retriever = fit(given, context(folder), config, loss, taught=True)
        return siblings(retriever, given)

    wide, narrow = imitated(False), imitated(True)
    assert narrow < wide - 0.2


def test_the_queue_holds_the_last_documents_and_follows_slowly(bare_encoder: str, tmp_path: Path):
    from harness.nn.students import make

    quick, slow = (make("dense", bare_encoder, context(tmp_path), 16) for _ in range(2))
    memory = Memory(slow, 3, 0.9, {"q": (5,)})
    query = (Query(id="q", text="lemon"),)
    batch = view([[0.0, 0.0]], query_vectors=torch.ones(1, 128), rows=torch.tensor([[5, 6]]), queries=query)
    batch = dataclasses.replace(batch, texts=("a lemon", "an engine"))
    assert memory.others(batch).scores.shape == (1, 0)
    memory.add(batch)
    memory.add(dataclasses.replace(batch, rows=torch.tensor([[7, 8]]), texts=("a violin", "a spider")))
    assert memory.rows.tolist() == [8, 6, 7]
    others = memory.others(batch)
    assert others.counted.tolist() == [[True, False, True]]  # 6 is in the query's list
    expected = slow.embed(["a spider", "an engine", "a violin"], "document").sum(dim=1)
    assert others.scores.tolist() == [pytest.approx(expected.tolist(), abs=1e-5)]
    with torch.no_grad():
        for parameter in quick.model.parameters():
            parameter.add_(1.0)
    before = next(memory.encoder.parameters()).clone()
    memory.follow(quick.model, 0)
    assert torch.equal(next(memory.encoder.parameters()), before)
    memory.follow(quick.model, 1)
    memory.follow(quick.model, 1)  # another batch of the same step
    assert torch.allclose(next(memory.encoder.parameters()), before + 0.1, atol=1e-5)


def test_a_training_with_a_queue_resumes_exactly(bare_encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = Config(steps=4, queue=40, momentum=0.5, **FEW)

    def weights(folder: Path) -> dict[str, torch.Tensor]:
        from safetensors.torch import load_file

        return load_file(context(folder).training / "checkpoints" / "stage-0.safetensors")

    whole = tmp_path / "whole"
    Cprd(config, context(whole)).distil(lesson(bare_encoder, Graded(), whole))
    stopped = tmp_path / "stopped"
    monkeypatch.setattr(course, "Loop", partial(course.Loop, every=0.0))  # a checkpoint a step
    times: list[int] = []
    original = Memory.add

    def killed(memory: Memory, view: View) -> None:
        times.append(view.step)
        if times == [0, 1, 2]:
            raise KeyboardInterrupt
        original(memory, view)

    monkeypatch.setattr(Memory, "add", killed)
    with pytest.raises(KeyboardInterrupt):
        Cprd(config, context(stopped)).distil(lesson(bare_encoder, Graded(), stopped))
    Cprd(config, context(stopped)).distil(lesson(bare_encoder, Graded(), stopped))
    assert times == [0, 1, 2, 2, 3]
    expected, found = weights(whole), weights(stopped)
    assert all(torch.equal(value, found[name]) for name, value in expected.items())
    assert any("memory.vectors" in name for name in expected)

"""What a course deals out: steps, lists that are the same for all, questions within the budget; and chunks."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.contracts import Lesson
from harness.errors import ConfigError, DataError, SignalError
from harness.nn.course import Course
from harness.nn.losses import info_nce
from harness.nn.settings import UNLIMITED_STEPS, StudentConfig
from harness.nn.view import View
from harness.records import Budget
from harness.testing.topics import TopicTeacher, context, lesson


class Counting(TopicTeacher):
    asked = 0

    def score(self, pairs):
        self.asked += len(pairs)
        return super().score(pairs)


def course(student: str, folder: Path, budget: Budget | None = None, candidates: str = "", **knobs) -> Course:
    given = lesson(student, Counting(), folder, budget)
    given = dataclasses.replace(given, candidates=candidates)
    config = StudentConfig(**{"documents": 4, "last_rank": 20, "batch": 8, "steps": 10, "max_length": 16} | knobs)
    return Course(lesson=given, context=context(folder), config=config)


def contrast(view: View) -> torch.Tensor:
    return info_nce(view.all_scores, view.positives, temperature=0.1, mask=view.candidates)


def test_steps_are_the_smaller_of_options_and_budget_and_shares_spend_all_of_them(tmp_path):
    assert course("unused", tmp_path / "a").steps == 10
    assert course("unused", tmp_path / "b", Budget(steps=7)).steps == 7
    assert course("unused", tmp_path / "e", Budget(steps=2000), steps=None).steps == 2000
    assert course("unused", tmp_path / "f", steps=None).steps == UNLIMITED_STEPS
    assert course("unused", tmp_path / "g", Budget(examples=50)).steps == 6
    assert course("unused", tmp_path / "h", Budget(examples=50), accumulate=2).steps == 3
    assert course("unused", tmp_path / "c").share(0.25, 0.35, 0.4) == [2, 4, 4]
    assert sum(course("unused", tmp_path / "d", Budget(steps=7)).share(1 / 3, 1 / 3, 1 / 3)) == 7
    assert course("unused", tmp_path / "i", Budget(steps=3)).share(0.98, 0.01, 0.01) == [1, 1, 1]


def test_fewer_steps_than_stages_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="2 steps for 3 stages"):
        course("unused", tmp_path / "a", Budget(steps=2)).share(0.4, 0.3, 0.3)
    with pytest.raises(ConfigError, match="allows 7 examples; expected 8"):
        _ = course("unused", tmp_path / "b", Budget(examples=7)).steps


def test_lists_do_not_depend_on_the_seed_but_on_the_draw(tmp_path):
    first, again = course("unused", tmp_path / "a"), course("unused", tmp_path / "b")
    object.__setattr__(again, "context", dataclasses.replace(again.context, seed=5))
    other = course("unused", tmp_path / "c", draw=1)
    assert first.candidates.digest == again.candidates.digest != other.candidates.digest
    assert first.facts["candidates"] == [first.candidates.digest]
    relevant = {example.query.id: set(example.positives) for example in first.lesson.examples}
    for query, rows in zip(first.candidates.queries, first.candidates.rows, strict=True):
        assert rows[0] in relevant[query.id]
        assert not relevant[query.id] & set(rows[1:].tolist())


def test_lists_that_the_suite_did_not_fix_are_refused(tmp_path):
    digest = course("unused", tmp_path / "a").candidates.digest
    assert course("unused", tmp_path / "b", candidates=digest).candidates.digest == digest
    with pytest.raises(DataError, match="the suite fixes candidate lists"):
        _ = course("unused", tmp_path / "c", candidates=digest, documents=3).candidates


def test_the_teacher_is_asked_no_more_than_the_budget_allows(tmp_path):
    full = course("unused", tmp_path / "a")
    assert len(full.taught()) == len(full.candidates)
    short = course("unused", tmp_path / "b", Budget(teacher_calls=21))
    lists = short.taught()
    assert (len(lists), short.lesson.teacher.asked) == (5, 20)
    with pytest.raises(SignalError, match="the budget allows 3 teacher calls"):
        course("unused", tmp_path / "c", Budget(teacher_calls=3)).taught()


def test_without_a_teacher_there_is_nothing_to_be_taught(tmp_path):
    given = course("unused", tmp_path)
    alone = dataclasses.replace(given, lesson=dataclasses.replace(given.lesson, teacher=None))
    with pytest.raises(SignalError, match="name one with --teacher"):
        alone.taught()


@pytest.fixture(scope="module")
def plain_encoder(bare_encoder: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The bare encoder without dropout, so that it makes no difference in what order texts are encoded."""
    folder = tmp_path_factory.mktemp("plain")
    for file in Path(bare_encoder).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps(config | {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0})
    )
    return str(folder)


@pytest.mark.parametrize("form", ["dense", "late-interaction"])
def test_gradient_caching_by_chunks_gives_the_same_student(plain_encoder, tmp_path, form):
    def trained(chunk: int) -> np.ndarray:
        taking = course(plain_encoder, tmp_path / str(chunk), chunk=chunk, steps=4, learning_rate=1e-3)
        student = taking.student(form)
        forwards = []
        student.model.register_forward_hook(lambda module, given, found: forwards.append(len(given[0]["input_ids"])))
        account = taking.train([taking.stage("train", student, contrast, taking.lists())])
        if chunk:
            assert max(forwards) <= chunk
        assert account.steps == 4
        return torch.cat([weights.detach().flatten() for weights in student.model.parameters()]).numpy()

    whole, chunks = trained(0), trained(3)
    start = course(plain_encoder, tmp_path / "start").student(form)
    moved = torch.cat([weights.detach().flatten() for weights in start.model.parameters()]).numpy() - whole
    assert np.abs(moved).max() > 1e-3
    assert np.abs(whole - chunks).max() < 2e-4


def test_a_stage_can_learn_from_lists_that_come_to_be_when_it_begins(bare_encoder, tmp_path):
    taking = course(bare_encoder, tmp_path, steps=4)
    student = taking.student()
    first, second = taking.share(0.5, 0.5)
    made: list[str] = []

    def mined():
        lists = taking.mined(student.retriever(), first=1, last=20, count=2)
        made.append(lists.digest)
        return taking.lists(lists)

    stages = [
        taking.stage("labels", student, contrast, taking.lists(), steps=first),
        taking.stage("mined", student, contrast, mined, steps=second),
    ]
    account = taking.train(stages)
    assert account.steps == 4
    assert len(made) == 1
    taking.note("cost", lambda: 3)
    taking.note("cost", lambda: pytest.fail("is known already"))
    record = json.loads((taking.context.training / "record.json").read_text())
    assert list(record["curves"]) == ["labels", "mined"]
    assert record["candidates"] == [taking.candidates.digest, *made]
    again = course(bare_encoder, tmp_path, steps=4)
    learner = again.student()
    again.train([again.stage(name, learner, contrast, again.lists(), steps=2) for name in ("labels", "mined")])
    assert len(made) == 1
    assert json.loads((taking.context.training / "record.json").read_text()) == record


def test_a_stage_goes_on_where_the_one_before_stopped(bare_encoder, tmp_path):
    taking, seen = course(bare_encoder, tmp_path, steps=4, batch=5), list[int]()
    student, lists = taking.student(), taking.lists()

    def watched(view: View) -> torch.Tensor:
        seen.extend(view.positions)
        return contrast(view)

    taking.train([taking.stage(name, student, watched, lists, steps=2) for name in ("one", "two")])
    assert len(seen) == 20
    assert len(set(seen)) == 20


def test_a_lesson_says_what_is_missing():
    empty = Lesson(student="s", teacher=object(), corpus=None, examples=(), budget=Budget())  # pyright: ignore
    with pytest.raises(SignalError, match="object lacks score, embed"):
        empty.require("score", "embed")

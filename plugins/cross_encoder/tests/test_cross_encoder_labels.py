"""The cross-encoder trained on labels: its loss by hand, what it learns, and the teacher that it becomes."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_cross_encoder import Config, LabelsConfig
from harness_cross_encoder.labels import CrossEncoderLabels
from harness_cross_encoder.method import CrossEncoderTeacher

from harness.contracts import Lesson
from harness.nn.checkpoint import trained_folder
from harness.nn.recipe import View
from harness.records import Query
from harness.testing import DistillerContract
from harness.testing.topics import TOPICS, context, learnt, lesson
from harness.testing.views import gradient, view

QUICK: dict[str, Any] = {"steps": 45, "documents": 4, "last_rank": 30, "learning_rate": 1e-3, "max_length": 24}


class TestContract(DistillerContract):
    plugin = "cross-encoder-labels"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


def trainer(folder: Path, **options: Any) -> CrossEncoderLabels:
    return CrossEncoderLabels(LabelsConfig(**(QUICK | options)), context(folder))


def loss(of: View, **options: Any) -> torch.Tensor:
    return trainer(Path("unused"), **options).loss(of)


def test_softmax_by_hand():
    # Lists 0, 0 and log 3, 0: −log ½ and −log ¾, on average.
    of = view([[0.0, 0.0], [float(np.log(3)), 0.0]])
    assert loss(of).item() == pytest.approx((np.log(2) - np.log(0.75)) / 2)
    loss(of).backward()
    np.testing.assert_allclose(gradient(of), [[-0.25, 0.25], [-0.125, 0.125]], atol=1e-6)


def test_pointwise_by_hand():
    # σ(0) = ½ of a positive and of a negative, σ(log 3) = ¾ of a positive.
    of = view([[0.0, 0.0], [float(np.log(3)), 0.0]])
    assert loss(of, loss="pointwise").item() == pytest.approx((3 * np.log(2) - np.log(0.75)) / 4)


def test_softmax_is_blind_to_a_constant_for_each_query_and_pointwise_is_not():
    scores, shifted = view([[1.0, 0.0], [0.0, 2.0]]), view([[4.0, 3.0], [-5.0, -3.0]])
    assert loss(scores).item() == pytest.approx(loss(shifted).item())
    assert loss(scores, loss="pointwise").item() != pytest.approx(loss(shifted, loss="pointwise").item())


def shuffled(given: Lesson) -> Lesson:
    """Each query with the relevant documents of another one, by chance."""
    order = np.random.default_rng(3).permutation(len(given.examples))
    pairs = zip(given.examples, order, strict=True)
    wrong = [dataclasses.replace(one, positives=given.examples[other].positives) for one, other in pairs]
    return dataclasses.replace(given, examples=wrong)


@pytest.mark.parametrize("kind", ["softmax", "pointwise"])
def test_learns_from_labels_and_nothing_from_shuffled_ones(kind: str, bare_encoder: str, tmp_path: Path):
    def after(name: str, right: bool) -> float:
        given = lesson(bare_encoder, None, tmp_path / name)
        return learnt(trainer(tmp_path / name, loss=kind), given if right else shuffled(given))

    true, wrong = after("true", right=True), after("wrong", right=False)
    assert true > 0.7
    assert wrong < true - 0.3


def test_only_the_first_stages_best_are_read(bare_encoder: str, tmp_path: Path):
    given = lesson(bare_encoder, None, tmp_path)
    student = trainer(tmp_path, steps=1, depth=3).distil(given)
    student.index(given.corpus)
    run = student.search([Query(id=topic, text=f"tell me on {topic}") for topic in TOPICS], 10)
    assert ((run.rows >= 0).sum(axis=1) == 3).all()


def test_what_it_leaves_is_a_checkpoint_of_the_teacher(bare_encoder: str, tmp_path: Path):
    given = lesson(bare_encoder, None, tmp_path)
    lasting = dataclasses.replace(context(tmp_path), lasting=trained_folder("of-labels"))
    student = CrossEncoderLabels(LabelsConfig(steps=3, max_length=24), lasting).distil(given)
    student.index(given.corpus)
    query = Query(id="q", text="tell me something on " + "and on lemon " * 20)  # cut at max_length
    run = student.search([query], 10)
    teacher = CrossEncoderTeacher(Config(model="trained:of-labels"), context(tmp_path))
    given_by_teacher = teacher.score([(query, given.corpus[row]) for row in run.rows[0].tolist()])
    np.testing.assert_allclose(given_by_teacher, run.scores[0], atol=1e-4)
    assert teacher.features([(query, given.corpus[0])])["cls"].shape == (1, 2, 128)

"""The card's behaviour checks of the stages after pre-training: their losses, and what each starts from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from harness_simlm import Config
from harness_simlm.method import SimLM
from safetensors.torch import load_file
from torch import Tensor

from harness.contracts import Context
from harness.errors import ConfigError, SignalError
from harness.nn.course import Course
from harness.nn.losses import info_nce
from harness.nn.recipe import View
from harness.nn.retriever import EmbeddingRetriever
from harness.nn.students import Student
from harness.records import Budget
from harness.testing import DistillerContract
from harness.testing.topics import TopicTeacher, context, learnt, lesson
from harness.testing.views import gradient, view

SMALL: dict[str, Any] = {
    "documents": 6,
    "last_rank": 30,
    "batch": 16,
    "pretrain_batch": 8,
    "learning_rate": 5e-4,
    "max_length": 16,
}


class TestContract(DistillerContract):
    plugin = "simlm"
    options = {  # noqa: RUF012
        "steps": "5",
        "shares": "0.2,0.2,0.2,0.4",
        "documents": "3",
        "last_rank": "10",
        "batch": "4",
        "pretrain_batch": "4",
        "max_length": "16",
    }

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


def distiller(folder: Path = Path("unused"), **options: Any) -> SimLM:
    return SimLM(Config(**options), context(folder))


def test_pure_kl_without_infonce_is_0_where_student_and_teacher_agree():
    student = [[0.04, 0.01, -0.02], [0.02, 0.06, 0.0]]
    agreeing = [[score / 0.02 + shift for score in line] for line, shift in zip(student, (3.0, -5.0), strict=True)]
    assert distiller(contrastive=0.0).distilled(view(student, agreeing)).item() == pytest.approx(0, abs=1e-5)
    other = view(student, [[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]])
    assert distiller(contrastive=0.0).distilled(other).item() > 0.1


def test_a_peaked_teacher_gives_the_lists_cross_entropy():
    student = [[0.04, 0.01, -0.02], [0.02, 0.06, 0.0]]
    peaked = view(student, [[1e4, 0.0, 0.0], [1e4, 0.0, 0.0]])
    expected = info_nce(peaked.scores, torch.tensor([0, 0]), temperature=0.02)
    assert distiller(contrastive=0.0).distilled(peaked).item() == pytest.approx(expected.item(), rel=1e-5)


def test_by_hand():
    # Student at 0.02: margins 0 and, for the query, ln 3 to the other list. KL of (3/4, 1/4) to (1/2, 1/2):
    # 3/4 ln 3/2 + 1/4 ln 1/2 = 0.130812. InfoNCE of one positive among 2 equal scores: ln 2.
    batch = view([[0.01, 0.01]], [[1.0986123, 0.0]])
    assert distiller(contrastive=0.0).distilled(batch).item() == pytest.approx(0.130812, abs=1e-5)
    assert distiller().distilled(batch).item() == pytest.approx(0.130812 + 0.2 * 0.693147, abs=1e-5)
    assert distiller().contrastive(batch).item() == pytest.approx(0.693147, abs=1e-5)


def test_infonce_takes_the_whole_batch_but_no_relevant_document():
    batch = view([[0.01, 0.0], [0.02, 0.0]])
    distiller().contrastive(batch).backward()
    assert all(value != 0 for line in gradient(batch) for value in line)
    relevant = torch.tensor([[True, False, True, False], [True, False, True, False]])
    both = view([[0.01, 0.0], [0.02, 0.0]], relevant=relevant)
    distiller().contrastive(both).backward()
    alone = [torch.softmax(torch.tensor([a, 0.0, 0.0]) / 0.02, dim=0) for a in (0.01, 0.02)]
    assert gradient(both)[0][0] == pytest.approx((alone[0][0].item() - 1) / 0.02 / 2, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"shares": (0.5, 0.5)}, "4 shares"),
        ({"shares": (1.0, 0.0, 0.0, 0.0)}, "after pre-training"),
        ({"mask_encoder": 0.6}, "mask_encoder"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], word: str):
    with pytest.raises(ValueError, match=word):
        Config(**options)


def test_no_teacher_is_refused_before_anything_is_trained(few_words: str, tmp_path: Path):
    with pytest.raises(SignalError):
        SimLM(Config(**SMALL), context(tmp_path)).distil(lesson(few_words, None, tmp_path))
    assert not (tmp_path / "work" / "training").exists()


class Stopped(Exception):
    """Raised in the middle of a training."""


class Stops(SimLM):
    def distilled(self, view: View) -> Tensor:
        raise Stopped


def test_stopped_in_the_last_stage_it_goes_on_from_the_pretrained_weights(few_words: str, tmp_path: Path):
    config = Config(**SMALL, steps=8, shares=(0.25, 0.25, 0.25, 0.25))

    def place(name: str) -> tuple[Context, Any]:
        return context(tmp_path / name), lesson(few_words, TopicTeacher(), tmp_path / name)

    def weights(name: str) -> bytes:
        return (tmp_path / name / "work" / "training" / "student" / "model.safetensors").read_bytes()

    where, given = place("stopped")
    with pytest.raises(Stopped):
        Stops(config, where).distil(given)
    SimLM(config, where).distil(given)
    where, given = place("whole")
    SimLM(config, where).distil(given)
    assert weights("stopped") == weights("whole")


class Watched(SimLM):
    """Keeps the weights of every student that searches."""

    def student(self, course: Course) -> Student:
        made = super().student(course)
        searching = made.retriever
        self.searched: list[list[float]] = getattr(self, "searched", [])

        def retriever() -> EmbeddingRetriever:
            self.searched.append(sums(made.model.state_dict()))
            return searching()

        made.retriever = retriever
        return made


def sums(weights: Mapping[str, Tensor]) -> list[float]:
    """What tells one student's weights from another's."""
    return sorted(float(tensor.double().sum()) for tensor in weights.values())


def test_each_tuning_learns_from_negatives_that_the_one_before_mines(few_words: str, tmp_path: Path):
    config = Config(**{**SMALL, "learning_rate": 1e-3}, steps=8, shares=(0.25, 0.25, 0.25, 0.25))
    method = Watched(config, context(tmp_path))
    method.distil(lesson(few_words, TopicTeacher(), tmp_path))
    folder = tmp_path / "work" / "training"
    tuned = [sums(load_file(folder / "checkpoints" / f"stage-{stage}.safetensors")) for stage in (1, 2, 3)]
    assert method.searched == tuned  # the first two mine, the last is what was asked for
    assert len(json.loads((folder / "record.json").read_text())["candidates"]) == 3


def test_a_budget_of_examples_wants_equal_batches(few_words: str, tmp_path: Path):
    config = Config(**{**SMALL, "pretrain_batch": 2 * SMALL["batch"]}, steps=8)
    given = lesson(few_words, TopicTeacher(), tmp_path, Budget(examples=100))
    with pytest.raises(ConfigError, match="pretrain_batch"):
        SimLM(config, context(tmp_path)).distil(given)


def test_every_tuning_starts_from_the_pretrained_weights(few_words: str, tmp_path: Path):
    values: dict[str, Any] = {**SMALL, "learning_rate": 1e-12, "pretrain_rate": 1e-3, "steps": 8}
    SimLM(Config(**values), context(tmp_path)).distil(lesson(few_words, TopicTeacher(), tmp_path))
    folder = tmp_path / "work" / "training"
    trained = load_file(folder / "student" / "model.safetensors")
    first = load_file(Path(few_words) / "model.safetensors")
    stage = load_file(folder / "checkpoints" / "stage-0.safetensors")
    start = {name.split(".", 3)[-1]: value for name, value in stage.items() if name.startswith("encoder.0.")}
    dense = [name for name in first if name.endswith("dense.weight")]  # normalisation has other names in files
    assert len(dense) == 6
    for name in dense:
        torch.testing.assert_close(trained[name], start[name], atol=1e-6, rtol=0)
    layer = "encoder.layer.1.output.dense.weight"
    assert (trained[layer] - first[layer]).abs().max() > 1e-4


def test_the_teacher_is_followed_and_a_permuted_one_teaches_less(few_words: str, tmp_path: Path):
    config = Config(**SMALL, steps=40, shares=(0.2, 0.1, 0.1, 0.6), temperature=0.1)

    def after(teacher: TopicTeacher) -> float:
        folder = tmp_path / teacher.identity
        return learnt(SimLM(config, context(folder)), lesson(few_words, teacher, folder))

    honest, permuted = after(TopicTeacher()), after(TopicTeacher(permuted=True))
    assert honest > 0.7
    assert permuted < honest - 0.2

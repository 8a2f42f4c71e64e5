"""Bradley-Terry: preferences and orders worked by hand from scores."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from harness_bradley_terry import Config
from harness_bradley_terry.method import BradleyTerry

from harness.card import Use
from harness.contracts import Context
from harness.errors import SignalError
from harness.records import Document, Query
from harness.testing import TeacherContract
from harness.testing.models import tiny_cross_encoder
from harness.testing.teachers import OverlapTeacher, without


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_cross_encoder(tmp_path_factory.mktemp("models") / "tiny")


class TestContract(TeacherContract):
    plugin = "bradley-terry"
    identity_options: ClassVar = {"scale": "2", "scores.max_length": "32"}

    @pytest.fixture
    def options(self, folder: str) -> dict[str, str]:
        return {"scores": "cross-encoder", "scores.model": folder}


class Numbers:
    """Scores a document by the number that is its text."""

    identity = "numbers"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> np.ndarray:
        self.asked += [document.text for _, document in pairs]
        return np.array([float(document.text) for _, document in pairs], np.float32)


def wrap(teacher: Any, **knobs: Any) -> BradleyTerry:
    context = Context(folder=Path(), build=lambda use: teacher)
    return BradleyTerry(Config(scores=Use("teacher", "numbers", None), **knobs), context)


QUERY = Query(id="q", text="query")


def documents(*texts: str) -> list[Document]:
    return [Document(id=str(place), text=text) for place, text in enumerate(texts)]


def test_preferences() -> None:
    # Scores 2 and 1: σ(1) = 0.7311; at scale 2 σ(2) = 0.8808; equal ones 0.5; 2000 apart, 1 without overflow.
    two, one, other, far = documents("2", "1", "1", "-1998")
    triples = [(QUERY, two, one), (QUERY, one, two), (QUERY, one, other), (QUERY, two, far), (QUERY, far, two)]
    given = wrap(Numbers()).prefer(triples)
    assert given.tolist() == pytest.approx([0.73106, 0.26894, 0.5, 1.0, 0.0], abs=1e-5)
    assert wrap(Numbers(), scale=2.0).prefer(triples[:1])[0] == pytest.approx(0.8808, abs=1e-4)


def test_an_order_is_by_score_and_ties_stay() -> None:
    assert wrap(Numbers()).order(QUERY, documents("1", "3", "1", "2", "3")).tolist() == [1, 4, 3, 0, 2]
    assert wrap(Numbers()).order(QUERY, []).tolist() == []


def test_scores_are_strengths() -> None:
    assert wrap(Numbers(), scale=3.0).score([(QUERY, document) for document in documents("1", "5")]).tolist() == [3, 15]


def test_each_document_is_scored_once() -> None:
    teacher = Numbers()
    docs = documents("1", "2", "3")
    wrap(teacher).prefer([(QUERY, first, second) for first in docs for second in docs])
    assert sorted(teacher.asked) == ["1", "2", "3"]


def test_a_teacher_without_scores_is_refused() -> None:
    with pytest.raises(SignalError, match="gives score, numbers does not"):
        wrap(without(OverlapTeacher(), ("score",)))

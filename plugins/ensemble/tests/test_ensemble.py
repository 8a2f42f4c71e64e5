"""Ensemble: worked by hand, with teachers that answer what the test wrote down."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from harness_ensemble import Config
from harness_ensemble.method import Ensemble

from harness.card import Use
from harness.contracts import Context
from harness.errors import ContractError, SignalError
from harness.plugins import registry
from harness.records import Document, Query
from harness.signals.store import SignalStore
from harness.signals.teacher import RememberingTeacher
from harness.testing import TeacherContract
from harness.testing.installed import install
from harness.testing.teachers import OverlapTeacher, without

CARDS = """
from harness import Card, hookimpl
@hookimpl
def harness_teachers():
    return [Card(name="words", kind="teacher", summary="Shared words.", method="harness_words.method:build",
                 gives=("score",))]
"""
METHOD = """
from harness.testing.teachers import OverlapTeacher
def build(config, context):
    return OverlapTeacher()
"""


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a teacher that is installed for these tests."""
    folder = tmp_path_factory.mktemp("installed")
    install(folder, "words", CARDS, method=METHOD)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        registry.cache_clear()
        yield "words"
    registry.cache_clear()


class TestContract(TeacherContract):
    plugin = "ensemble"
    identity_options: ClassVar = {"method": "min-max", "k": "10"}

    @pytest.fixture
    def options(self, words: str) -> dict[str, str]:
        return {"parts": f"{words},{words}"}


FIRST = {"a0": 4.0, "a1": 2.0, "a2": 0.0, "b0": -1.0, "b1": -1.0}
SECOND = {"a0": 10.0, "a1": 50.0, "a2": 20.0, "b0": 7.0, "b1": 8.0}
"""Scores by document; the documents a0, a1, a2 are of query a, the others of query b."""


class Written:
    """A teacher that answers what is written down."""

    def __init__(self, scores: dict[str, float]) -> None:
        self.scores = scores
        self.identity = str(scores)

    def score(self, pairs: list[tuple[Query, Document]]) -> np.ndarray:
        return np.array([self.scores[document.id] for _, document in pairs], np.float32)


def build(folder: Path, *teachers: Any, **knobs: Any) -> Ensemble:
    uses = tuple(Use("teacher", str(place), None) for place in range(len(teachers)))
    return Ensemble(Config(parts=uses, **knobs), Context(folder=folder, build=lambda use: teachers[int(use.name)]))


def scored(folder: Path, order: str, **knobs: Any) -> dict[str, float]:
    """Score by document when these documents are asked for in this order."""
    ids = order.split()
    pairs = [(Query(id=doc_id[0], text=""), Document(id=doc_id, text="")) for doc_id in ids]
    given = build(folder, Written(FIRST), Written(SECOND), **knobs).score(pairs)
    assert given.dtype == np.float32
    return dict(zip(ids, given.tolist(), strict=True))


ALL = "a0 a1 a2 b0 b1"


def test_mean(tmp_path: Path) -> None:
    assert scored(tmp_path, ALL) == {"a0": 7.0, "a1": 26.0, "a2": 10.0, "b0": 3.0, "b1": 3.5}


def test_min_max(tmp_path: Path) -> None:
    # Query a: the first part scales to 1, 0.5, 0, the second to 0, 1, 0.25. Query b: 0, 0 (all equal) and 0, 1.
    expected = {"a0": 0.5, "a1": 0.75, "a2": 0.125, "b0": 0.0, "b1": 0.5}
    assert scored(tmp_path, ALL, method="min-max") == expected
    assert scored(tmp_path, "b1 a2 a0 b0 a1", method="min-max") == expected


def test_reciprocal_rank(tmp_path: Path) -> None:
    # Query a: ranks 1, 2, 3 and 3, 1, 2. Query b: both first, then 2, 1.
    expected = {
        "a0": (1 / 61 + 1 / 63) / 2,
        "a1": (1 / 62 + 1 / 61) / 2,
        "a2": (1 / 63 + 1 / 62) / 2,
        "b0": (1 / 61 + 1 / 62) / 2,
        "b1": 1 / 61,
    }
    assert scored(tmp_path, ALL, method="reciprocal-rank") == pytest.approx(expected, rel=1e-6)
    assert scored(tmp_path, "b1 a2 a0 b0 a1", method="reciprocal-rank") == pytest.approx(expected, rel=1e-6)
    assert scored(tmp_path, ALL, method="reciprocal-rank", k=0)["b1"] == 1.0


def test_the_list_matters_for_all_but_the_mean(tmp_path: Path) -> None:
    assert scored(tmp_path, "a0 a1")["a1"] == scored(tmp_path, ALL)["a1"]
    assert scored(tmp_path, "a1 a2", method="min-max")["a2"] == 0.0


def test_it_says_whether_the_list_matters(tmp_path: Path) -> None:
    first, second = Written(FIRST), Written(SECOND)
    assert not build(tmp_path, first, second).scores_depend_on_list
    scaled = build(tmp_path, first, second, method="min-max")
    assert scaled.scores_depend_on_list
    assert build(tmp_path, first, second, method="reciprocal-rank").scores_depend_on_list
    assert build(tmp_path, first, scaled).scores_depend_on_list  # a part's scores are the ensemble's


def test_the_signal_store_keeps_lists_apart(tmp_path: Path) -> None:
    ensemble = build(tmp_path, Written(FIRST), Written(SECOND), method="min-max")
    ours = RememberingTeacher(teacher=ensemble, store=SignalStore(tmp_path / "signals"))
    pairs = [(Query(id=doc_id[0], text=doc_id[0]), Document(id=doc_id, text=doc_id)) for doc_id in ALL.split()]
    for _ in range(2):
        assert ours.score(pairs).tolist() == [0.5, 0.75, 0.125, 0.0, 0.5]
        assert ours.score(pairs[1:3]).tolist() == [1.0, 0.0]
    assert (ours.account.calls, ours.account.stored) == (7, 7)


def test_identity_holds_parts_and_method(tmp_path: Path) -> None:
    first, second = Written(FIRST), Written(SECOND)
    made = [
        build(tmp_path, first, second),
        build(tmp_path, second, first),
        build(tmp_path, first, first),
        build(tmp_path, first, second, method="min-max"),
        build(tmp_path, first, second, method="reciprocal-rank", k=1),
    ]
    assert len({ensemble.identity for ensemble in made}) == len(made)


@pytest.mark.parametrize("method", ["mean", "min-max", "reciprocal-rank"])
def test_wrong_parts_are_refused(tmp_path: Path, method: str) -> None:
    pairs = [(Query(id="a", text=""), Document(id=doc_id, text="")) for doc_id in ("a0", "a1")]
    with pytest.raises(ContractError, match="nan for query 'a' and document 'a1'"):
        build(tmp_path, Written(FIRST), Written(FIRST | {"a1": float("nan")}), method=method).score(pairs)
    short = Written(FIRST)
    short.score = lambda pairs: np.zeros(1, np.float32)  # type: ignore[method-assign]
    with pytest.raises(ContractError, match="expected 2 scores"):
        build(tmp_path, Written(FIRST), short, method=method).score(pairs)


def test_a_part_must_give_scores(tmp_path: Path) -> None:
    with pytest.raises(SignalError, match="1 gives none"):
        build(tmp_path, Written(FIRST), without(OverlapTeacher(), ["score"]))

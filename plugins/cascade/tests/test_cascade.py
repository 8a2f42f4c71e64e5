"""Cascade: worked by hand, with a first stage and teachers that answer what the test wrote down."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness_cascade import Config
from harness_cascade.method import Cascade

from harness.card import Use
from harness.contracts import Context, Corpus
from harness.data.corpus import build_corpus
from harness.errors import ContractError, SignalError
from harness.plugins import registry
from harness.records import Document, Query, Run
from harness.testing import RetrieverContract
from harness.testing.installed import install
from harness.testing.teachers import OverlapTeacher, without

CARD = """
from harness import Card, hookimpl
CARD = Card(name="overlap", kind="teacher", summary="Shared words.", method="harness_overlap.method:build",
            gives=("score",))
@hookimpl
def harness_teachers():
    return [CARD]
"""
METHOD = """
from harness.testing.teachers import OverlapTeacher
def build(config, context):
    return OverlapTeacher()
"""


@pytest.fixture(scope="module")
def overlap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a teacher that is installed for these tests."""
    folder = tmp_path_factory.mktemp("installed")
    install(folder, "overlap", CARD, method=METHOD)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        registry.cache_clear()
        yield "overlap"
    registry.cache_clear()


class TestContract(RetrieverContract):
    plugin = "cascade"

    @pytest.fixture
    def options(self, overlap: str) -> dict[str, str]:
        return {"teacher": overlap, "base": "bm25", "depth": "5"}


FIRST = {"q1": [0, 1, 2, 3], "q2": [3, 0], "none": []}
"""The first stage's documents, best first."""
SCORES = {("q1", 0): -2.0, ("q1", 1): 4.0, ("q1", 2): 1.0, ("q1", 3): 9.0, ("q2", 3): 0.5, ("q2", 0): 0.75}


class First:
    """Ranks as `FIRST` says."""

    def index(self, corpus: Corpus) -> None:
        pass

    def search(self, queries: list[Query], k: int) -> Run:
        rows = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        for place, query in enumerate(queries):
            own = FIRST[query.id][:k]
            rows[place, : len(own)], scores[place, : len(own)] = own, -np.arange(len(own))
        return Run(query_ids=tuple(query.id for query in queries), rows=rows, scores=scores)


class Teacher:
    """Scores, orders and prefers as `SCORES` says; `fault` is put in place of an answer."""

    identity = "test"

    def __init__(self, fault: Any = None) -> None:
        self.fault = fault
        self.asked: list[tuple[str, str]] = []

    def score(self, pairs: list[tuple[Query, Document]]) -> np.ndarray:
        self.asked += [(query.id, document.id) for query, document in pairs]
        scores = np.array([SCORES[query.id, int(document.id[1:])] for query, document in pairs], np.float32)
        return scores if self.fault is None else self.fault(scores)

    def order(self, query: Query, documents: list[Document]) -> np.ndarray:
        order = np.argsort(-Teacher().score([(query, document) for document in documents]))
        return order if self.fault is None else self.fault(order)

    def prefer(self, triples: list[tuple[Query, Document, Document]]) -> np.ndarray:
        """Certain where the scores differ by more than 1, else as far as they differ."""
        first = Teacher().score([(query, a) for query, a, _ in triples])
        second = Teacher().score([(query, b) for query, _, b in triples])
        return np.clip((first - second + 1) / 2, 0, 1)


class Only:
    """A teacher with one of `Teacher`'s signals."""

    def __init__(self, signal: str, fault: Any = None) -> None:
        self.identity = signal
        setattr(self, signal, getattr(Teacher(fault), signal))


def rerank(folder: Path, teacher: object, queries: str, k: int = 4, **knobs: Any) -> list[list[tuple[int, float]]]:
    """Rows and scores found for queries, over documents d0 … d3."""
    corpus = build_corpus([Document(id=f"d{i}", text="") for i in range(4)], folder / "corpus")
    built = {"retriever": First(), "teacher": teacher}
    context = Context(folder=folder, build=lambda use: built[use.kind])
    cascade = Cascade(Config(base=Use("retriever", "", None), teacher=Use("teacher", "", None), **knobs), context)
    cascade.index(corpus)
    run = cascade.search([Query(id=query, text="") for query in queries.split()], k)
    pairs = (
        zip(rows, scores, strict=True) for rows, scores in zip(run.rows.tolist(), run.scores.tolist(), strict=True)
    )
    return [[(row, score) for row, score in line if row >= 0] for line in pairs]


def test_reranks_the_top_and_keeps_the_rest_below(tmp_path: Path) -> None:
    # q1: the first stage's top 3 are rows 0, 1, 2, scored -2, 4, 1; row 3 stays below, one step under the lowest.
    # q2: rows 3, 0 scored 0.5, 0.75.
    teacher = Teacher()
    assert rerank(tmp_path, teacher, "q1 q2 none", depth=3) == [
        [(1, 4.0), (2, 1.0), (0, -2.0), (3, -3.0)],
        [(0, 0.75), (3, 0.5)],
        [],
    ]
    assert teacher.asked == [("q1", "d0"), ("q1", "d1"), ("q1", "d2"), ("q2", "d3"), ("q2", "d0")]


def test_the_rest_can_be_left_out(tmp_path: Path) -> None:
    assert rerank(tmp_path, Teacher(), "q1", depth=2, keep_rest=False) == [[(1, 4.0), (0, -2.0)]]


def test_the_depth_does_not_depend_on_k(tmp_path: Path) -> None:
    assert rerank(tmp_path, Teacher(), "q1", k=1, depth=3) == [[(1, 4.0)]]


@pytest.mark.parametrize("huge", [-1e30, -3e7, 1e-30, 5e4, 1e30])
def test_the_rest_stays_in_order_whatever_the_scale(tmp_path: Path, huge: float) -> None:
    (found,) = rerank(tmp_path, Teacher(lambda scores: scores * 0 + huge), "q1", depth=1)
    assert [row for row, _ in found] == [0, 1, 2, 3]
    assert len({score for _, score in found}) == 4


def test_by_order(tmp_path: Path) -> None:
    assert rerank(tmp_path, Only("order"), "q1 none", depth=3) == [[(1, 3.0), (2, 2.0), (0, 1.0), (3, 0.0)], []]


def test_by_preference(tmp_path: Path) -> None:
    # q1: all preferences are certain, so points are the wins: row 1 beats 0 and 2, row 2 beats 0.
    # q2: P(row 0 beats row 3) = (0.25 + 1) / 2 = 0.625.
    assert rerank(tmp_path, Only("prefer"), "q1 q2 none", depth=3) == [
        [(1, 2.0), (2, 1.0), (0, 0.0), (3, -1.0)],
        [(0, 0.625), (3, 0.375)],
        [],
    ]


def test_many_queries_are_asked_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rerank(tmp_path / "whole", Teacher(), "q1 none q2 q1 q2", depth=3)
    monkeypatch.setattr("harness_cascade.method.TOGETHER", 2)
    assert rerank(tmp_path / "parts", Teacher(), "q1 none q2 q1 q2", depth=3) == whole


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (Teacher(lambda scores: np.where(scores == 4, np.nan, scores)), "'q1' and document 'd1', got nan"),
        (Teacher(lambda scores: np.where(scores == 1, np.inf, scores)), "'q1' and document 'd2', got inf"),
        (Teacher(lambda scores: scores[:-1]), "expected 4 answers"),
        (Teacher(lambda scores: scores[:, None]), "expected 4 answers"),
        (Only("order", lambda order: order[:-1]), "permutation of 0 to 3 for query 'q1'"),
        (Only("order", lambda order: order * 0), "permutation of 0 to 3 for query 'q1'"),
    ],
)
def test_wrong_answers_are_refused(tmp_path: Path, teacher: object, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        rerank(tmp_path, teacher, "q1")


def test_a_first_stage_that_breaks_its_contract_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FIRST, "q1", [0, 1, 0])
    with pytest.raises(ContractError, match=r"first stage.*comes twice"):
        rerank(tmp_path, Teacher(), "q1")


def test_a_teacher_must_give_something_to_rank_by(tmp_path: Path) -> None:
    with pytest.raises(SignalError, match="score, order or prefer"):
        rerank(tmp_path, without(OverlapTeacher(), ("score", "order", "prefer")), "q1")


def test_all_signals_of_one_opinion_give_one_order(tmp_path: Path) -> None:
    orders = [
        [row for row, _ in rerank(tmp_path / signal, Only(signal), "q1")[0]] for signal in ("score", "order", "prefer")
    ]
    assert orders == [[3, 1, 2, 0]] * 3

"""Bad input never gives a number: each fault is refused, naming the query at fault."""

import numpy as np
import pytest

from harness.errors import ScoreError
from harness.records import Run
from harness.scoring import strict
from harness.scoring.strict import check_run

NAN, INF = float("nan"), float("inf")
GOOD_ROWS, GOOD_SCORES = [[3, 1, 0], [2, -1, -1]], [[0.9, 0.5, 0.5], [-4.0, -INF, -INF]]


def make(rows=GOOD_ROWS, scores=GOOD_SCORES, ids=("a", "b")) -> Run:
    return Run(query_ids=tuple(ids), rows=np.array(rows, np.int32), scores=np.array(scores, np.float32))


def check(run: Run, k: int | None = None) -> None:
    check_run(run, ["a", "b"], 5, k)


def test_accepts_ties_negative_scores_short_and_empty_rankings() -> None:
    check(make(), k=3)
    check(make(rows=[[-1], [-1]], scores=[[-INF], [-INF]]), k=1)
    check(make(rows=np.empty((2, 0)), scores=np.empty((2, 0))))
    check_run(make(rows=np.empty((0, 3)), scores=np.empty((0, 3)), ids=()), [], 5)


FAULTS = {
    "nan": ([[3, 1, 0], [2, 4, -1]], [[0.9, 0.5, 0.1], [1, NAN, -INF]], r"'b', rank 2"),
    "infinite": ([[3, 1, 0], [2, 4, 1]], [[INF, 0.5, 0.1], [1, 0, 0]], r"'a', rank 1"),
    "row above": ([[3, 1, 0], [5, 4, 1]], [[0.9, 0.5, 0.1], [2, 1, 0]], r"'b', rank 1 .row 5"),
    "row below": ([[3, 1, -2], [2, 4, 1]], [[0.9, 0.5, -INF], [2, 1, 0]], r"'a', rank 3 .row -2"),
    "padding with score": ([[3, 1, -1], [2, 4, 1]], [[0.9, 0.5, 0.1], [2, 1, 0]], r"'a', rank 3 .row -1, score 0.1"),
    "row without score": ([[3, 1, 0], [2, 4, 1]], [[0.9, 0.5, -INF], [2, 1, 0]], r"'a', rank 3 .row 0, score -inf"),
    "padding before row": ([[3, -1, 0], [2, 4, 1]], [[0.9, -INF, 0.1], [2, 1, 0]], r"'a', rank 3"),
    "ascending": ([[3, 1, 0], [2, 4, 1]], [[0.9, 0.5, 0.1], [2, 1, 1.5]], r"'b', rank 3"),
    "duplicate": ([[3, 1, 0], [2, 4, 2]], [[0.9, 0.5, 0.1], [2, 1, 1]], r"'b': row 2 .* 1 and 3"),
}


@pytest.mark.parametrize(("rows", "scores", "at_fault"), FAULTS.values(), ids=list(FAULTS))
def test_refuses_faulty_rankings(rows: list, scores: list, at_fault: str) -> None:
    with pytest.raises(ScoreError, match=at_fault):
        check(make(rows, scores))


def test_refuses_more_documents_than_asked_for_but_not_more_padding() -> None:
    check(make(rows=[[3, -1], [2, -1]], scores=[[1, -INF], [1, -INF]]), k=1)
    with pytest.raises(ScoreError, match="'a', rank 3"):
        check(make(), k=2)


@pytest.mark.parametrize(
    ("ids", "at_fault"),
    [
        (("a", "c"), "'c' is not in the split"),
        (("a",), "'b' is missing"),
        (("b", "a"), "'b' stands where 'a'"),
        (("a", "b", "b"), "2 queries"),
        (("a", "b", "c"), "'c' is not in the split"),
    ],
)
def test_refuses_another_query_set_or_order(ids: tuple, at_fault: str) -> None:
    rows, scores = np.zeros((len(ids), 1)), np.zeros((len(ids), 1))
    with pytest.raises(ScoreError, match=at_fault):
        check(make(rows, scores, ids))


def test_refuses_wrong_shapes_and_types() -> None:
    rows, scores = np.array(GOOD_ROWS, np.int32), np.array(GOOD_SCORES, np.float32)
    for wrong in (
        {"rows": rows, "scores": scores.astype(np.float64)},
        {"rows": rows.astype(np.int64), "scores": scores},
        {"rows": rows, "scores": scores[:, :2]},
        {"rows": rows[:1], "scores": scores[:1]},
        {"rows": rows[0], "scores": scores[0]},
    ):
        with pytest.raises(ScoreError, match=r"expected rows and scores|must be"):
            check(Run(query_ids=("a", "b"), **wrong))


def test_a_fault_behind_the_first_part_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict, "BLOCK", 4)  # of rankings of three: one at a time
    rows = np.array([[0, 1, 2], [2, 1, 0], [3, 0, 3]], np.int32)
    scores = np.tile(np.array([3, 2, 1], np.float32), (3, 1))
    with pytest.raises(ScoreError, match=r"query 'c': row 3 comes twice \(ranks 1 and 3\)"):
        check_run(make(rows=rows, scores=scores, ids=("a", "b", "c")), ["a", "b", "c"], 5)
    scores[1, 2] = np.nan
    with pytest.raises(ScoreError, match="query 'b', rank 3"):
        check_run(make(rows=rows, scores=scores, ids=("a", "b", "c")), ["a", "b", "c"], 5)


@pytest.mark.parametrize(
    ("run", "word"),
    [
        (None, "NoneType"),
        ({"q1": {"d1": 1.0}}, "dict"),
        (Run(query_ids=None, rows=make().rows, scores=make().scores), "query ids"),
        (Run(query_ids=([], {}), rows=make().rows, scores=make().scores), "query ids"),
        (Run(query_ids=("a", "b"), rows=GOOD_ROWS, scores=make().scores), "rows as a numpy array"),
        (
            Run(query_ids=("a", "b"), rows=make().rows, scores=np.ma.masked_array(make().scores)),
            "scores as a numpy array",
        ),
    ],
)
def test_what_is_no_run_of_arrays_is_refused(run, word) -> None:
    with pytest.raises(ScoreError, match=word):
        check(run)

"""The table of a closed suite; expected figures are worked out in closed.py and below."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from types import ModuleType

import pytest
from harness_leaderboard.board import assemble
from harness_leaderboard.suite import SuiteRow, SuiteTable, suite_table

from harness.store.records import Evaluation


def table_of(evaluations: Sequence[Evaluation]) -> SuiteTable:
    board = assemble(evaluations, date(2026, 3, 2), "Test")
    (section,) = [section for section in board.sections if section.page]
    return suite_table(board, section)


def row_of(table: SuiteTable, name: str) -> SuiteRow:
    (row,) = [row for row in table.rows if row.method.name == name]
    return row


@pytest.fixture
def evaluations(factory: ModuleType, closed: ModuleType) -> list[Evaluation]:
    return closed.suite(factory)


@pytest.fixture
def without(evaluations: list[Evaluation]) -> Callable[..., list[Evaluation]]:
    """The suite without one evaluation."""

    def made(*which: object) -> list[Evaluation]:
        return [one for one in evaluations if (one.method.name, one.task.name, one.seed) != which]

    return made


def test_means_spread_and_order(evaluations: list[Evaluation]):
    table = table_of(evaluations)
    assert [row.method.name for row in table.rows] == ["cascade", "margin-mse", "dpr", "dense", "lead"]
    assert [row.mean for row in table.rows] == [pytest.approx(mean) for mean in (0.61, 0.51, 0.41, 0.15)] + [None]
    control = row_of(table, "dpr")
    assert control.spread == pytest.approx(0.01)  # of .40, .41 and .42
    assert control.seeds == (0, 1, 2)
    one, two = (control.cells[task.key] for task in table.tasks)
    assert (one.value, one.spread) == (pytest.approx(0.32), pytest.approx(0.02))  # of .30, .32 and .34
    assert (two.value, two.spread) == (pytest.approx(0.50), pytest.approx(0.0))
    assert (row_of(table, "cascade").spread, row_of(table, "cascade").seeds) == (None, (0,))


def test_share_of_the_gap(evaluations: list[Evaluation]):
    table = table_of(evaluations)
    method = row_of(table, "margin-mse")
    assert method.share == pytest.approx(0.5)  # (.51 - .41) / (.61 - .41)
    assert (method.control.name, method.ceiling.name) == ("dpr", "cascade")
    assert [row.share for row in table.rows if row.method.name != "margin-mse"] == [None] * 4


def test_p_is_against_the_control_and_adjusted_over_the_complete_methods(evaluations: list[Evaluation]):
    table = table_of(evaluations)
    one, two = (task.key for task in table.tasks)
    method, other = row_of(table, "margin-mse"), row_of(table, "lead")
    # All ten differences have one sign: 2 of 2^10 sign patterns are as far out; on task one Holm doubles it.
    assert method.cells[one].p == pytest.approx(2 * 2 / 1024)
    assert method.cells[two].p == pytest.approx(2 / 1024)
    assert method.cells[one].verdict == "better"
    # Differences of +.10 and -.10, five each: no pattern is less far out.
    assert (other.cells[one].p, other.cells[one].verdict) == (1.0, "")
    assert all(cell.p is None for row in table.rows if row.role != "method" for cell in row.cells.values())


def test_a_method_below_the_control_is_called_worse(evaluations: list[Evaluation]):
    swapped = {"dpr": "method", "margin-mse": "control"}
    table = table_of([replace(one, role=swapped.get(one.method.name, one.role)) for one in evaluations])
    assert [cell.verdict for cell in row_of(table, "dpr").cells.values()] == ["worse", "worse"]
    ceiling = row_of(table, "dpr").share
    assert ceiling == pytest.approx(-1.0)  # (.41 - .51) / (.61 - .51)


def test_what_is_missing_is_named_and_takes_the_mean_away(evaluations: list[Evaluation]):
    table = table_of(evaluations)
    lead = row_of(table, "lead")
    assert (lead.mean, lead.spread, lead.share) == (None, None, None)
    assert lead.missing == ("two seed 2: failed",)
    assert [task.label for task in table.tasks if task.key in lead.cells] == ["one"]


def test_older_code_does_not_fill_a_gap(factory: ModuleType, without: Callable[..., list[Evaluation]]):
    older = factory.method("margin-mse", kind="distiller", code="old")
    found = [
        replace(one, method=older, finished=one.finished - timedelta(days=1))
        if (one.method.name, one.task.name, one.seed) == ("margin-mse", "two", 0)
        else one
        for one in without("margin-mse", "one", 1)
    ]
    missing = row_of(table_of(found), "margin-mse").missing
    assert missing == ("one seed 1: not evaluated", "two seed 0: of older code only")


def test_what_is_trained_needs_every_seed_and_what_is_not_only_its_own(evaluations: list[Evaluation]):
    table = table_of([replace(one, role="method") if one.method.name == "dense" else one for one in evaluations])
    assert len(row_of(table, "dense").missing) == 4  # seeds 1 and 2 on two tasks
    assert row_of(table, "cascade").missing == ()


def test_a_task_on_which_all_failed_leaves_nobody_a_mean(factory: ModuleType, evaluations: list[Evaluation]):
    table = table_of([factory.failed(one) if one.task.name == "two" else one for one in evaluations])
    assert [task.label for task in table.tasks] == ["one", "two"]
    assert {row.mean for row in table.rows} == {None}


def test_a_gap_in_the_control_leaves_no_share_and_no_p_on_that_task(without: Callable[..., list[Evaluation]]):
    table = table_of(without("dpr", "two", 1))
    method = row_of(table, "margin-mse")
    assert method.share is None
    assert [method.cells[task.key].p is None for task in table.tasks] == [False, True]


def test_no_share_where_the_teacher_is_no_better_than_the_control(
    factory: ModuleType, closed: ModuleType, evaluations: list[Evaluation]
):
    students = [one for one in evaluations if one.role != "ceiling"]
    low = [
        closed.of_role(factory, "cascade", on, value, role="ceiling")
        for on, value in zip(closed.tasks(factory), (0.30, 0.50), strict=True)
    ]
    assert row_of(table_of([*students, *low]), "margin-mse").share is None


def test_without_controls_only_means_are_given(evaluations: list[Evaluation]):
    method = row_of(table_of([one for one in evaluations if one.role == "method"]), "margin-mse")
    assert method.mean == pytest.approx(0.51)
    assert (method.share, method.control, method.ceiling) == (None, None, None)
    assert {cell.p for cell in method.cells.values()} == {None}


def test_the_ceiling_is_the_teacher_that_taught_else_the_best(
    factory: ModuleType, closed: ModuleType, evaluations: list[Evaluation]
):
    better = {"base": {"plugin": "bm25", "config": {}}, "teacher": {"plugin": "cross-encoder", "config": {}}}
    second = [
        closed.of_role(factory, "cascade", on, 0.81, role="ceiling", config=better) for on in closed.tasks(factory)
    ]
    assert row_of(table_of([*evaluations, *second]), "margin-mse").share == pytest.approx(0.5)  # its own: mpnet
    foreign = [
        replace(one, training={**one.training, "teachers": ["nobody"]}) if one.method.name == "margin-mse" else one
        for one in evaluations
    ]
    share = row_of(table_of([*foreign, *second]), "margin-mse").share
    assert share == pytest.approx(0.25)  # (.51 - .41) / (.81 - .41)


def test_a_teacher_that_the_suite_trained_is_the_ceiling_of_those_it_taught(
    factory: ModuleType, closed: ModuleType, evaluations: list[Evaluation]
):
    model = {"plugin": "cross-encoder", "config": {"model": "trained:5d5d"}}
    taught = [
        replace(one, config={**one.config, "teacher": {"plugin": "bradley-terry", "config": {"scores": model}}})
        if one.method.name == "margin-mse"
        else replace(one, training={**one.training, "teachers": []})
        for one in evaluations
    ]
    taught = [replace(one, training={**one.training, "teachers": ["bradley-terry"]}) for one in taught]
    reranker = [
        closed.of_role(factory, "cross-encoder-labels", on, 0.81, role="ceiling", training={"lesson": "5d5d"})
        for on in closed.tasks(factory)
    ]
    better = [
        closed.of_role(factory, "cascade", on, 0.91, role="ceiling", config=closed.CEILING)
        for on in closed.tasks(factory)
    ]
    table = table_of([*[one for one in taught if one.role != "ceiling"], *reranker, *better])
    assert row_of(table, "margin-mse").ceiling.name == "cross-encoder-labels"
    assert row_of(table, "margin-mse").share == pytest.approx(0.25)  # (.51 - .41) / (.81 - .41)


def test_the_control_is_that_of_the_same_student(
    factory: ModuleType, closed: ModuleType, evaluations: list[Evaluation]
):
    other = [
        replace(one, training={**one.training, "student": "pip:other"})
        for on in closed.tasks(factory)
        for one in closed.trained(factory, "dpr-other", on, [[0.6] * 10] * 3, role="control")
    ]
    method = row_of(table_of([*evaluations, *other]), "margin-mse")
    assert method.control.name == "dpr"
    assert method.share == pytest.approx(0.5)


def test_costs_are_of_one_training_whichever_evaluation_tells_them(evaluations: list[Evaluation]):
    table = table_of(evaluations)
    assert row_of(table, "margin-mse").spent == {
        "train_seconds": pytest.approx(171.0),  # of 170, 171 and 172
        "train_steps": 450,
        "teacher_calls": 900,  # told by the evaluation on task one; that on task two found the student trained
        "teacher_answers_stored": 100,
        "teacher_seconds": 30,
        "index_bytes": 4e6,  # sum over tasks
        "query_p50_ms": 4.0,
        "parameters": 4.4e6,
    }
    assert "train_steps" not in row_of(table, "cascade").spent


def test_suites_are_never_mixed_with_the_open_division(evaluations: list[Evaluation]):
    opened = [replace(one, id=f"{one.id[:-1]}x", division="open", suite="") for one in evaluations]
    assert table_of([*evaluations, *opened]).rows == table_of(evaluations).rows

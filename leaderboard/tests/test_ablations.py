from datetime import date
from types import ModuleType

import pytest
from harness_leaderboard.ablations import MOST, Change, ablations, changes
from harness_leaderboard.board import assemble
from harness_leaderboard.pages import build
from harness_leaderboard.sections import Board

DAY = date(2026, 3, 2)


@pytest.fixture
def ran(factory: ModuleType):
    def made(config: dict[str, object], value: float, task: str = "one", name: str = "margin-mse", suite: str = "tiny"):
        return factory.evaluation(
            of=factory.method(name),
            on=factory.task(task, queries=4),
            config=config,
            values=[value] * 4,
            division="closed",
            suite=suite,
        )

    return made


def found_of(board: Board, **config: str):
    method = next(method for method in board.methods if method.options == config and method.name == "margin-mse")
    return ablations(board, method)


def test_differences_are_of_the_tasks_that_both_have(ran):
    board = assemble([ran({"t": 1}, 0.5), ran({"t": 1}, 0.6, "two"), ran({"t": 2}, 0.4)], DAY, "Test")
    (place,) = found_of(board, t="1")
    (one,) = place.found
    assert one.changes == [Change(name="t", ours="1", theirs="2")]
    assert list(one.by_task.values()) == [pytest.approx(-0.1)]
    assert one.mean == pytest.approx(-0.1)
    assert [task.label for task in place.tasks] == ["one"]
    (back,) = found_of(board, t="2")
    assert back.found[0].mean == pytest.approx(0.1)


def test_the_suite_of_checks_belongs_to_its_suite_and_no_other_does(ran):
    board = assemble(
        [ran({"t": 1}, 0.5), ran({"t": 2}, 0.4, suite="tiny-checks"), ran({"t": 3}, 0.3, suite="small")], DAY, "Test"
    )
    (place,) = found_of(board, t="1")
    assert [(one.section.suite, one.method.options["t"]) for one in place.found] == [("tiny-checks", "2")]
    assert [one.method.options["t"] for one in found_of(board, t="2")[0].found] == ["1"]
    assert found_of(board, t="3") == []


def test_other_plugins_are_no_ablations(ran):
    board = assemble([ran({"t": 1}, 0.5), ran({"t": 2}, 0.4, name="dpr")], DAY, "Test")
    assert found_of(board, t="1") == []


def test_the_fewest_changes_come_first_and_what_is_cut_is_counted(ran):
    far = [ran({"t": 1 + number, "u": 9}, 0.9) for number in range(MOST)]
    board = assemble([ran({"t": 1, "u": 1}, 0.5), ran({"t": 1, "u": 2}, 0.4), *far], DAY, "Test")
    (place,) = found_of(board, t="1", u="1")
    assert [len(one.changes) for one in place.found[:3]] == [1, 1, 2]
    assert (len(place.found), place.more) == (MOST, 1)


def test_options_that_only_one_has_are_changes():
    assert changes({"a": "1", "b": "2"}, {"b": "2", "c": "3"}) == [
        Change(name="a", ours="1", theirs=None),
        Change(name="c", ours=None, theirs="3"),
    ]


def test_the_page_shows_them(ran):
    site = dict(build([ran({"t": 1}, 0.5), ran({"t": 2}, 0.4)], DAY, "Test"))
    pages = [text.decode() for path, text in site.items() if path.startswith("methods/")]
    assert ["−0.1000" in page for page in sorted(pages, key=lambda page: "−0.1000" in page)] == [False, True]
    assert all("Other configurations" in page for page in pages)

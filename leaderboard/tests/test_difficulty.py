import json
from datetime import date
from types import ModuleType

import pytest
from harness_leaderboard.board import assemble
from harness_leaderboard.difficulty import Difficulty, difficulty

VALUES = {"a": [0.0, 1.0, 0.5, 0.0], "b": [0.0, 0.5, 0.5, 1.0]}
"""Means over methods: 0, .75, .5, .5."""


@pytest.fixture
def hardness(factory: ModuleType):
    def made(values: dict[str, list[float]], texts: bool = True) -> Difficulty | None:
        task = factory.task("one", queries=len(next(iter(values.values()))))
        found = [factory.evaluation(of=factory.method(name), on=task, values=own) for name, own in values.items()]
        board = assemble(found, date(2026, 3, 2), "Test")
        return difficulty(board.tasks[0], board.sections[0].levels.get(board.tasks[0].key), texts)

    return made


def test_queries_are_ordered_by_their_mean_over_methods(hardness):
    found = hardness(VALUES)
    assert [(query.id, query.mean, query.lowest, query.highest) for query in found.hardest] == [
        ("q0", 0.0, 0.0, 0.0),
        ("q2", 0.5, 0.5, 0.5),
        ("q3", 0.5, 0.0, 1.0),
        ("q1", 0.75, 0.5, 1.0),
    ]
    assert found.easiest == []  # all are listed already
    assert (found.methods, found.lost) == (2, 1)
    assert found.hardest[0].text == "query 0"


def test_both_ends_are_listed_and_never_share_a_query(hardness):
    found = hardness({"a": [number / 100 for number in range(15)]})
    assert [query.id for query in found.hardest] == [f"q{number}" for number in range(10)]
    assert [query.id for query in found.easiest] == ["q14", "q13", "q12", "q11", "q10"]


def test_the_chart_counts_every_query_once(hardness):
    picture = hardness(VALUES).picture
    rows = json.loads(picture.spec)["datasets"]["rows"]
    counted = {row["a"]: row["n"] for row in rows if row["n"]}
    assert counted == {0.0: 1, 0.5: 2, 0.75: 1}
    assert picture.told == (
        "nDCG@10 of each of 4 queries, mean over 2 methods: a quarter below 0.3750, half below 0.5000, "
        "a quarter above 0.5625; 1 is 0 with every method."
    )


def test_texts_are_left_out_where_they_are_not_published(hardness):
    assert {query.text for query in hardness(VALUES, texts=False).hardest} == {""}


def test_a_measure_beyond_one_is_drawn_too(hardness):
    rows = json.loads(hardness({"a": [-1.0, 3.0]}).picture.spec)["datasets"]["rows"]
    assert (rows[0]["a"], rows[-1]["b"], sum(row["n"] for row in rows)) == (-1.0, 3.0, 2)


def test_without_values_by_query_nothing_is_said(factory: ModuleType):
    board = assemble([factory.evaluation(per_query={})], date(2026, 3, 2), "Test")
    assert difficulty(board.tasks[0], board.sections[0].levels.get(board.tasks[0].key), True) is None

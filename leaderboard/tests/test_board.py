import random
from dataclasses import replace
from datetime import date, timedelta
from types import ModuleType

import pytest
from harness_leaderboard.board import assemble
from harness_leaderboard.sections import Board, Row, Section

from harness.store.records import Evaluation


def board_of(*evaluations: Evaluation) -> Board:
    return assemble(evaluations, date(2026, 3, 2), "Test")


def only_section(*evaluations: Evaluation) -> Section:
    (section,) = board_of(*evaluations).sections
    return section


def row_of(section: Section, name: str) -> Row:
    (row,) = [row for row in section.rows if row.method.name == name]
    return row


def test_a_mean_over_tasks_needs_all_of_them(factory: ModuleType):
    one, two = factory.task("one", queries=2), factory.task("two", queries=4)
    full = [factory.evaluation(on=one, values=[0.4] * 2), factory.evaluation(on=two, values=[0.6] * 4)]
    part = factory.evaluation(of=factory.method("dense"), on=two, values=[0.9] * 4)
    section = only_section(*full, part)
    assert row_of(section, "bm25").mean == pytest.approx(0.5)  # tasks count equally, not queries
    assert row_of(section, "dense").mean is None
    assert row_of(section, "dense").group is None
    assert [row.method.name for row in section.rows] == ["bm25", "dense"]


def test_seeds_are_averaged_with_their_deviation(factory: ModuleType):
    one, two = factory.task("one"), factory.task("two")
    values = {(one.name, 0): 0.4, (one.name, 1): 0.6, (two.name, 0): 0.2, (two.name, 1): 0.2}
    section = only_section(
        *(
            factory.evaluation(on=task, seed=seed, values=[values[task.name, seed]] * 40)
            for task in (one, two)
            for seed in (0, 1)
        )
    )
    (row,) = section.rows
    first = row.standings[section.tasks[0].key].result
    assert first.value("nDCG@10") == pytest.approx(0.5)
    assert first.spread("nDCG@10") == pytest.approx(0.02**0.5)  # of 0.4 and 0.6: sqrt(2 · 0.1²)
    assert row.spread == pytest.approx(0.005**0.5)  # means by seed are 0.3 and 0.4: sqrt(2 · 0.05²)


def test_a_measure_that_one_seed_lacks_has_no_mean(factory: ModuleType):
    full = factory.evaluation()
    part = factory.evaluation(seed=1, measures={"nDCG@10": 0.7}, per_query={"nDCG@10": (0.7,) * 40}, cost={})
    (row,) = only_section(full, part).rows
    (standing,) = row.standings.values()
    assert standing.result.value("nDCG@10") == pytest.approx(0.6)
    assert standing.result.value("AP") is None
    assert standing.result.cost("index_seconds") is None


def test_no_deviation_is_given_for_one_seed(factory: ModuleType):
    (row,) = only_section(factory.evaluation()).rows
    assert row.spread is None


def test_divisions_and_suites_are_never_mixed(factory: ModuleType):
    open_one = factory.evaluation(values=[0.9] * 40)
    suites = [factory.evaluation(division="closed", suite=suite, values=[0.5] * 40) for suite in ("a", "b")]
    sections = board_of(open_one, *suites).sections
    assert [section.title for section in sections] == ["Closed division: a", "Closed division: b", "Open division"]
    assert [section.rows[0].mean for section in sections] == [
        pytest.approx(0.5),
        pytest.approx(0.5),
        pytest.approx(0.9),
    ]


def test_newer_code_replaces_older_and_is_not_averaged_with_it(factory: ModuleType):
    old = [factory.evaluation(of=factory.method(code="old"), seed=seed, values=[0.1] * 40) for seed in (0, 1)]
    new = replace(
        factory.evaluation(of=factory.method(code="new"), values=[0.5] * 40),
        finished=old[0].finished + timedelta(days=1),
    )
    board = board_of(*old, new)
    assert board.sections[0].rows[0].mean == pytest.approx(0.5)
    assert board.shown == {new.id}


def test_other_weights_under_the_same_name_replace_the_older_too(factory: ModuleType):
    old = factory.evaluation(checkpoints={"m": "aaaa"}, values=[0.1] * 40, id="old")
    new = replace(factory.evaluation(checkpoints={"m": "bbbb"}), id="new", finished=old.finished + timedelta(days=1))
    assert board_of(old, new).shown == {"new"}


def test_a_failure_shows_only_where_nothing_succeeded(factory: ModuleType):
    one, two = factory.task("one"), factory.task("two")
    done = [factory.evaluation(on=one), factory.evaluation(on=two)]
    other = factory.evaluation(of=factory.method("dense"), on=one)
    lost = factory.failed(factory.evaluation(of=factory.method("dense"), on=two))
    lost_seed = factory.failed(factory.evaluation(on=one, seed=5))
    section = only_section(*done, other, lost, lost_seed)
    (failed,) = row_of(section, "dense").failed
    assert failed == two.fingerprint
    assert not row_of(section, "bm25").failed
    assert row_of(section, "bm25").mean is not None


def test_a_task_on_which_all_failed_takes_no_mean_away(factory: ModuleType):
    done = factory.evaluation(on=factory.task("one"))
    lost = factory.failed(factory.evaluation(on=factory.task("two")))
    section = only_section(done, lost)
    assert [task.label for task in section.tasks] == ["one"]
    assert section.rows[0].mean == pytest.approx(0.5)


def test_changed_content_or_rule_is_another_column(factory: ModuleType):
    records = [factory.task("one", queries=10), factory.task("one", queries=11)]
    records.append(replace(records[0], facts={**records[0].facts, "exclude_self": True}))
    section = only_section(*(factory.evaluation(on=record, id=f"{number}") for number, record in enumerate(records)))
    labels = {task.label for task in section.tasks}
    assert len(labels) == len({task.page for task in section.tasks}) == 3


def test_costs_are_summed_over_tasks_only_where_all_are_known(factory: ModuleType):
    costs = [
        {"index_seconds": 1.0, "query_p50_ms": 2.0, "index_bytes": 10.0},
        {"index_seconds": 2.0, "query_p50_ms": 4.0},
        {"index_seconds": 4.0, "query_p50_ms": 9.0, "index_bytes": 30.0},
    ]
    section = only_section(
        *(factory.evaluation(on=factory.task(name), cost=cost) for name, cost in zip("abc", costs, strict=True))
    )
    assert section.rows[0].cost == {"index_seconds": 7.0, "query_p50_ms": 4.0}


def test_an_evaluation_without_the_main_measure_is_missing_not_zero(factory: ModuleType):
    section = only_section(factory.evaluation(measures={"AP": 0.3}, per_query={"AP": (0.3,) * 40}))
    (row,) = section.rows
    assert row.mean is None
    assert not row.standings


def test_the_order_in_which_evaluations_come_changes_nothing(factory: ModuleType):
    evaluations = factory.small()
    shuffled = random.Random(5).sample(evaluations, len(evaluations))
    assert board_of(*evaluations) == board_of(*shuffled)


def test_borda_is_the_share_of_the_others_that_is_beaten_on_each_task(factory: ModuleType):
    one, two = factory.task("one"), factory.task("two")
    levels = {"a": (0.9, 0.5), "b": (0.5, 0.5), "c": (0.1, 0.7)}
    found = [
        factory.evaluation(of=factory.method(name), on=on, values=[value] * 40)
        for name, values in levels.items()
        for on, value in zip((one, two), values, strict=True)
    ]
    part = factory.evaluation(of=factory.method("d"), on=one, values=[0.3] * 40)
    section = only_section(*found, part)
    # On task one a beats 3 of 3, b 2, c 0; on task two c beats both, and a and b beat nobody but tie: half of one.
    assert row_of(section, "a").borda == pytest.approx((3 / 3 + 0.5 / 2) / 2)
    assert row_of(section, "b").borda == pytest.approx((2 / 3 + 0.5 / 2) / 2)
    assert row_of(section, "c").borda == pytest.approx((0 / 3 + 2 / 2) / 2)
    assert row_of(section, "d").borda is None


def test_a_lone_method_beats_nobody_and_has_no_share(factory: ModuleType):
    assert only_section(factory.evaluation()).rows[0].borda is None


def test_what_methods_reach_on_each_query(factory: ModuleType):
    task = factory.task(queries=3)
    found = [
        factory.evaluation(of=factory.method("a"), on=task, values=[0.2, 0.4, 0.0]),
        factory.evaluation(of=factory.method("b"), on=task, values=[0.4, 0.0, 0.0]),
        factory.evaluation(of=factory.method("c"), on=task, measures={"nDCG@10": 0.9}, per_query={}),
    ]
    (levels,) = only_section(*found).levels.values()
    assert levels.methods == 2
    assert levels.mean.tolist() == pytest.approx([0.3, 0.2, 0.0])
    assert (levels.lowest.tolist(), levels.highest.tolist()) == ([0.2, 0.0, 0.0], [0.4, 0.4, 0.0])

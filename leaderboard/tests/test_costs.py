"""The cost page; figures are those of closed.py and, below, of four methods on two tasks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from types import ModuleType
from typing import Any

import html5lib
import pytest
from harness_leaderboard.board import assemble
from harness_leaderboard.cost_charts import drawn, scale_of, signs_of
from harness_leaderboard.costs import Arena, Plane, arenas
from harness_leaderboard.pages import build
from harness_leaderboard.pareto import Offer

from harness.store.records import Evaluation

DAY = date(2026, 3, 2)
FIGURES = {"quick": (0.30, 1.0, 5e6), "middle": (0.40, 4.0, 5e6), "slow": (0.38, 8.0, 9e6), "best": (0.50, 16.0, 9e6)}
"""Quality, milliseconds, bytes. By time: slow is beaten by middle. By bytes: quick by middle, slow by both others."""


@pytest.fixture
def evaluations(factory: ModuleType) -> list[Evaluation]:
    tasks = [factory.task(name, queries=4) for name in ("one", "two")]
    return [
        factory.evaluation(
            of=factory.method(name),
            on=on,
            values=[quality] * 4,
            cost={"query_p50_ms": time, "index_bytes": size},
        )
        for name, (quality, time, size) in FIGURES.items()
        for on in tasks
    ]


def arenas_of(evaluations: Sequence[Evaluation]) -> list[Arena]:
    return arenas(assemble(evaluations, DAY, "Test"))


def names(arena: Arena, pages: Sequence[str]) -> list[str]:
    return [arena.methods[page].name for page in pages]


def plane(arena: Arena, cost: str) -> Plane:
    (found,) = [one for one in arena.planes if one.cost == cost]
    return found


def method(arena: Arena, name: str):
    return next(one for one in arena.methods.values() if one.name == name)


def test_fronts_are_of_the_mean_over_tasks(evaluations: list[Evaluation]):
    (arena,) = arenas_of(evaluations)
    assert names(arena, plane(arena, "query_p50_ms").front) == ["quick", "middle", "best"]
    assert names(arena, plane(arena, "index_bytes").front) == ["middle", "best"]
    offer = plane(arena, "index_bytes").offers[method(arena, "best").page]
    assert (offer.quality, offer.cost) == (pytest.approx(0.5), 18e6)  # bytes are of both tasks


def test_who_is_on_no_front_is_told_who_dominates_it(evaluations: list[Evaluation]):
    (arena,) = arenas_of(evaluations)
    assert [one.name for one in arena.methods.values() if not arena.on_a_front(one)] == ["slow"]
    beaten = arena.beaten(method(arena, "slow"))
    assert [(one.by.name, one.costs) for one in beaten] == [
        ("middle", ["query_p50_ms", "index_bytes"]),
        ("best", ["index_bytes"]),
    ]


def test_devices_and_times_that_differ_are_never_held_against_each_other(evaluations: list[Evaluation]):
    def moved(name: str, **fields: Any) -> list[Evaluation]:
        return [replace(one, **fields) if one.method.name == name else one for one in evaluations]

    faster = {"matmul_gflops": 83.0, "copy_gb_per_s": 5.0}  # twice the others'
    for found in (arenas_of(moved("best", device="gpu")), arenas_of(moved("best", calibration=faster))):
        assert [[one.name for one in arena.methods.values()] for arena in found] == [
            ["middle", "slow", "quick"],
            ["best"],
        ]


def test_a_method_that_ran_its_tasks_on_two_devices_has_no_mean_but_a_place_on_each_task(
    evaluations: list[Evaluation],
):
    split = [replace(one, device="gpu") if one.id == evaluations[-1].id else one for one in evaluations]
    cpu, gpu = arenas_of(split)
    assert [one.method.name for one in cpu.contenders if one.mean is None] == ["best"]
    assert gpu.complete == []
    one, two = cpu.section.tasks
    assert [found.name for found in cpu.task_fronts(one)["query_p50_ms"]] == ["quick", "middle", "best"]
    assert [found.name for found in cpu.task_fronts(two)["query_p50_ms"]] == ["quick", "middle"]


def test_training_is_that_of_one_student_and_labels_ask_no_teacher(factory: ModuleType, closed: ModuleType):
    (arena,) = arenas_of(closed.suite(factory))
    costs = {one.method.name: one.costs for one in arena.contenders}
    assert costs["margin-mse"]["train_seconds"] == pytest.approx(171)
    assert costs["margin-mse"]["teacher_answers"] == 1000  # 900 asked, 100 found
    assert costs["dpr"]["teacher_answers"] == 0
    assert "train_seconds" not in costs["cascade"]
    assert "train_seconds" not in costs["dense"]


@pytest.mark.parametrize(
    ("costs", "scale"), [([1, 3.9], "linear"), ([1, 4], "log"), ([0, 4], "sqrt"), ([0, 0], "sqrt"), ([2], "linear")]
)
def test_axes_are_logarithmic_where_costs_differ_much(costs: list[float], scale: str):
    assert scale_of(costs) == scale


def test_numbers_that_would_cover_each_other_are_printed_as_one():
    best = [Offer(0.1, 1), Offer(0.5, 100), Offer(0.501, 101), Offer(0.502, 102), Offer(0.9, 200)]
    assert signs_of(best, best, "linear") == ["1", "", "", "2–4", "5"]


def test_words_and_drawing_say_the_same(evaluations: list[Evaluation]):
    (arena,) = arenas_of(evaluations)
    picture = drawn(plane(arena, "query_p50_ms").offers, arena.methods, "query_p50_ms", "nDCG@10, mean of 2 tasks")
    assert picture.told == (
        "nDCG@10, mean of 2 tasks, against query p50: 4 methods. On the front, from the cheapest: "
        "1 quick (0.3000 at 1.00 ms), 2 middle (0.4000 at 4.00 ms), 3 best (0.5000 at 16.00 ms); 1 dominated."
    )
    assert picture.svg.count('fill="var(--link)"') == 3  # diamonds
    assert picture.svg.count('fill="var(--ground)"') == 1  # rings


def test_the_page_tells_without_a_script_what_the_charts_show(evaluations: list[Evaluation]):
    page = dict(build(evaluations, DAY, "Test"))["cost.html"].decode()
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    assert len(list(tree.iter("figure"))) == 2
    for figure in tree.iter("figure"):
        (drawing,) = [part for part in figure if part.get("role") == "img"]
        assert drawing.get("aria-label") == "".join(figure.find("p").itertext())
        assert [part.tag.endswith("svg") for part in drawing] == [True]
    rows = [" ".join(" ".join(row.itertext()).split()) for row in tree.find(".//table/tbody")]
    assert rows == [
        "best 0.5000 ◆ on the front, number 3 16.00 ◆ on the front, number 2 18.00 on a front",
        "middle 0.4000 ◆ on the front, number 2 4.00 ◆ on the front, number 1 10.00 on a front",
        "slow 0.3800 8.00 18.00 middle every cost ; best index size",
        "quick 0.3000 ◆ on the front, number 1 1.00 10.00 on a front",
    ]


def test_costs_that_are_the_same_for_all_are_told_in_words(evaluations: list[Evaluation]):
    same = [replace(one, cost={**one.cost, "parameters": 22e6}) for one in evaluations]
    page = dict(build(same, DAY, "Test"))["cost.html"].decode()
    assert page.count("<figure") == 2
    assert "parameters (22.00 M)" in page

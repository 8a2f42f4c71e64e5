import re
from datetime import date
from types import ModuleType

import html5lib
import numpy as np
import pytest
from harness_leaderboard.curves import HEIGHT, POINTS, WIDTH, charts, thin
from harness_leaderboard.lessons import Lesson, lessons_of
from harness_leaderboard.pages import build


def lessons(factory: ModuleType, *curves: object) -> list[Lesson]:
    return lessons_of(factory.evaluation(seed=seed, training={"curves": curve}) for seed, curve in enumerate(curves))


def points(path: str) -> list[tuple[float, ...]]:
    return [tuple(map(float, point.split())) for point in path.removeprefix("M").split("L")]


def test_thinning_takes_means_and_weighs_the_last_by_what_is_left():
    assert thin(np.array([1.0, 3.0, 5.0, 7.0, 9.0]), 2).tolist() == [2.0, 6.0, 9.0]


def test_a_line_goes_from_corner_to_corner(factory: ModuleType):
    (chart,) = charts(lessons(factory, {"train": [3.0, 2.0, 1.0]}))
    assert points(chart.mean) == [(0, 0), (WIDTH / 2, HEIGHT / 2), (WIDTH, HEIGHT)]
    assert chart.each == []
    assert [tick.text for tick in chart.steps] == ["1", "2", "3"]
    assert [tick.text for tick in chart.losses] == ["3", "2", "1"]
    assert chart.told == "first 3, last 1, lowest 1 at step 3; 3 steps, one seed"


def test_seeds_are_averaged_as_far_as_all_go(factory: ModuleType):
    (chart,) = charts(lessons(factory, {"train": [4.0, 2.0, 2.0]}, {"train": [2.0, 0.0]}))
    assert chart.told == "first 3, last 1, lowest 1 at step 2; 2 steps, mean of 2 seeds"
    assert [len(points(line)) for line in (chart.mean, *chart.each)] == [2, 3, 2]
    assert points(chart.mean)[0] == (0, round(HEIGHT / 4, 1))  # 3 between 4 and 0


def test_evaluations_of_one_lesson_are_one_line(factory: ModuleType):
    taught = {"lesson": "a", "curves": {"train": [2.0, 1.0]}}
    shared = [factory.evaluation(on=factory.task(name), training=taught) for name in ("one", "two")]
    assert len(lessons_of(shared)) == 1


def test_long_curves_are_thinned_and_their_numbers_are_exact(factory: ModuleType):
    curve = [float(step) for step in range(5000, 0, -1)]
    (chart,) = charts(lessons(factory, {"train": curve}))
    assert len(points(chart.mean)) == POINTS
    assert chart.thinned == 25
    assert chart.told.startswith("first 5000, last 1, lowest 1 at step 5,000")


def test_a_flat_or_single_loss_is_drawn(factory: ModuleType):
    flat, single = charts(lessons(factory, {"flat": [2.0, 2.0], "single": [1.5]}))
    assert {down for _, down in points(flat.mean)} == {HEIGHT / 2}
    assert single.mean == f"M0.0 {HEIGHT / 2}h1"
    assert [tick.text for tick in single.losses] == ["1.5"]


@pytest.mark.parametrize("bad", [None, 7, "text", [1.0], {"a": None}, {"a": []}, {"a": ["x"]}, {"a": [1.0, None]}])
def test_what_is_no_curve_is_not_drawn(factory: ModuleType, bad: object):
    assert charts(lessons(factory, bad)) == []


def test_the_method_page_draws_each_stage_once_with_words_beside(closed_site: dict[str, bytes]):
    (page,) = [text.decode() for path, text in closed_site.items() if path.startswith("methods/margin-mse")]
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    figures = list(tree.iter("figure"))
    assert len(figures) == 2
    for figure, stage in zip(figures, ("warm up", "distil"), strict=True):
        (drawing,) = [found for found in figure if found.get("role") == "img"]
        told = rf"Loss of {stage}: first [\d.]+, last [\d.]+, lowest [\d.]+ at step \d+; \d+ steps, mean of 3 seeds"
        assert re.fullmatch(told, drawing.get("aria-label"))
        assert [part.get("class") for part in drawing if part.get("d")] == ["axis", "one", "one", "one", "all"]
        assert all(re.fullmatch(r"[\d.,]+", part.text) for part in drawing if part.text and part.text.strip())
    rows = [" ".join(" ".join(row.itertext()).split()) for row in tree.iter("tr")]
    facts = "margin-mse-1 1 pip:tiny-bert mpnet one,two 5d5d5d5d5d5d5d5d 450 7,200 171.00"
    assert facts in rows


def test_a_long_training_keeps_the_page_small(factory: ModuleType):
    curve = [1 / (step + 1) for step in range(20_000)]
    site = dict(build([factory.evaluation(training={"curves": {"train": curve}})], date(2026, 3, 2), "Long"))
    assert max(len(content) for path, content in site.items() if path.startswith("methods/")) < 60_000

"""The compare page in a browser: choices, figures against our own, documents side by side, the view in the address."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from harness_leaderboard.pages import build

from harness.statistics.significance import bootstrap_interval, randomisation_test
from harness.testing.tiny import tiny_task


@pytest.fixture
def page(opened: Any, on_disk: Callable[..., str], small_site: dict[str, bytes]) -> Iterator[Any]:
    with opened(on_disk("small", small_site) + "/compare.html") as page:
        page.wait_for_selector("#compare .outcome:not([hidden])")
        yield page


def summary(page: Any) -> dict[str, str]:
    rows = page.locator(".summary tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").inner_text() for row in rows}


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("+", ""))


def test_figures_are_those_of_the_values_by_query(page, factory: ModuleType):
    task = page.locator("select[name=task] option:checked").inner_text().split()[0]
    values: dict[tuple[str, str], list[Any]] = {}
    for one in factory.small():
        if one.state == "done" and one.division == "open" and one.task.name == task:
            values.setdefault((one.method.name, one.config_digest), []).append(one.per_query["nDCG@10"])
    means = sorted((float(np.mean(seeds)) for seeds in values.values()), reverse=True)
    found = summary(page)
    shown = [number(text) for text in list(found.values())[:2]]
    assert shown == pytest.approx(means[:2], abs=5e-5)
    assert number(found["Difference, first less second"]) == pytest.approx(means[0] - means[1], abs=5e-5)
    counts = [int(text) for name, text in found.items() if name.startswith("Queries on which")]
    assert sum(counts) == len(next(iter(values.values()))[0])


@pytest.mark.parametrize(("queries", "seed"), [(6, 0), (12, 1), (40, 2), (300, 3)])
def test_p_and_interval_agree_with_python(page, queries: int, seed: int):
    chance = np.random.default_rng(seed)
    a = np.round(chance.random(queries), 3)
    b = np.clip(a + np.round(chance.normal(0.03, 0.15, queries), 3), 0, 1)
    script = """([a, b]) => {
        const found = harnessStatistics.differences(a, b);
        return [harnessStatistics.randomisation(found), harnessStatistics.interval(found)];
    }"""
    p, interval = page.evaluate(script, [a.tolist(), b.tolist()])
    expected = randomisation_test(a, b)
    exact = 2 ** np.count_nonzero(np.abs(a - b) > 1e-12) <= 10_000
    assert p == pytest.approx(expected, abs=1e-12 if exact else 4 * np.sqrt(expected * (1 - expected) / 5_000) + 1e-4)
    error = np.std(a - b) / np.sqrt(queries)
    assert interval == pytest.approx(bootstrap_interval(a - b), abs=0.15 * error)  # 4 of its standard deviations


def test_equal_methods_have_no_difference(page):
    assert page.evaluate("harnessStatistics.randomisation([0, 0, 0])") == 1
    assert page.evaluate("harnessStatistics.differences([0.1 + 0.2], [0.3])") == [0]


def test_choices_are_kept_in_the_address_and_taken_from_it(opened, page):
    before = summary(page)
    page.get_by_role("button", name="Swap").click()
    first = next(iter(before))
    page.wait_for_function("first => document.querySelector('.summary tbody th').innerText !== first", arg=first)
    after = summary(page)
    assert list(after)[:2] == list(before)[:2][::-1]
    assert number(after["Difference, first less second"]) == -number(before["Difference, first less second"])
    assert "compare.a=" in page.url
    with opened(page.url) as again:
        again.wait_for_selector("#compare .outcome:not([hidden])")
        assert summary(again) == after


def test_queries_are_listed_the_most_different_first_and_drawn(page):
    differences = [
        abs(number(row.locator("td").nth(-1).inner_text())) for row in page.locator(".queries tbody tr").all()
    ]
    assert differences == sorted(differences, reverse=True)
    assert len(differences) == 20
    page.wait_for_selector("#compare .drawing svg")
    assert page.locator("#compare .drawing svg path").count() > 20


def test_queries_are_listed_by_any_column(page, sort_by):
    for place, name in enumerate(("First", "Second", "Difference"), 1):
        head = page.locator(".queries thead th", has_text=name)
        for _ in range(2):
            sort_by(head)
            cells = page.locator(f".queries tbody tr > :nth-child({place + 2})").all_inner_texts()
            values = [number(cell) for cell in cells]
            assert values == sorted(values, reverse=head.get_attribute("aria-sort") == "descending")
            assert len(set(values)) > 1


def test_documents_stand_side_by_side_with_their_grades(opened, on_disk, with_tops, tmp_path):
    site = dict(build(with_tops, date(2026, 3, 2), "Tops"))
    with opened(on_disk("tops", site) + "/compare.html") as page:
        page.wait_for_selector("#compare .outcome:not([hidden])")
        first = page.locator(".tops .query").first
        sides = first.locator(".sides > div")
        assert [side.locator("h4 bdi").inner_text() for side in sides.all()] == ["two", "one"]
        assert sides.first.locator("li").count() == 10
        task = tiny_task(tmp_path / "again")
        texts = {query.text for query in task.queries(task.facts.split)}
        assert first.locator("h3").inner_text() in texts
        relevant = page.locator(".tops li.relevant").all_inner_texts()
        assert all("· relevant," in text for text in relevant)
        assert re.search(r"not judged|not relevant|relevant", sides.first.locator("li").first.inner_text())


def test_says_that_it_needs_scripts(opened, on_disk, small_site):
    with opened(on_disk("small", small_site) + "/compare.html", java_script_enabled=False) as page:
        assert "needs JavaScript" in page.locator("main").inner_text()
        assert not page.locator("#compare").is_visible()

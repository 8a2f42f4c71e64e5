"""Charts in a browser, from disk: interactive under the page's policy, and pictures without scripts."""

from collections.abc import Callable
from typing import Any

import pytest
from harness_leaderboard.pages import build


@pytest.fixture(scope="session")
def charted(on_disk: Callable[..., str], closed_site: dict[str, bytes]) -> str:
    return on_disk("charted", closed_site)


def drawn(page: Any) -> int:
    """How many charts are interactive, after the whole page was looked at."""
    for figure in page.locator("figure.plot").all():
        figure.scroll_into_view_if_needed()
        figure.locator("[data-interactive] svg").wait_for()
    return page.locator("figure.plot [data-interactive]").count()


def test_charts_become_interactive_under_the_policy(opened: Callable[..., Any], charted: str):
    with opened(f"{charted}/cost.html") as page:
        assert drawn(page) == page.locator("script.chart").count() > 3
        assert page.locator(".picture").count() == 0
        assert page.locator("[data-interactive] > div:visible").count() == drawn(page)
        assert "'unsafe" not in page.locator("meta[http-equiv]").get_attribute("content")
        assert page.locator("style").count() == 1  # the page's own: no library adds one


def test_a_point_tells_what_it_is(opened: Callable[..., Any], charted: str):
    with opened(f"{charted}/cost.html") as page:
        drawn(page)
        figure = page.locator("figure.plot").first
        figure.scroll_into_view_if_needed()
        marks = figure.locator("svg .mark-symbol path")
        marks.first.hover()
        tooltip = page.locator("#vg-tooltip-element")
        tooltip.wait_for(state="visible")
        assert tooltip.locator("td.key").all_inner_texts()[0].startswith("method")
        assert page.evaluate("getComputedStyle(document.querySelector('#vg-tooltip-element')).position") == "fixed"


@pytest.mark.parametrize("name", ["cost.html", "tasks"])
def test_without_scripts_there_are_pictures(
    opened: Callable[..., Any], charted: str, closed_site: dict[str, bytes], name: str
):
    path = name if name in closed_site else next(path for path in closed_site if path.startswith("tasks/"))
    with opened(f"{charted}/{path}", java_script_enabled=False) as page:
        pictures = page.locator("figure.plot svg.picture")
        assert pictures.count() == page.locator("script.chart").count() > 0
        for picture in pictures.all():
            box = picture.bounding_box()
            assert box["width"] > 250
            assert box["height"] > 150
        told = page.locator("figure.plot [role=img]").first.get_attribute("aria-label")
        assert ("On the front" if name == "cost.html" else "queries") in told


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("scripts", [True, False])
def test_charts_follow_light_and_dark(opened: Callable[..., Any], charted: str, scheme: str, scripts: bool):
    """Text of a chart has the colours that the style sheet gives to text."""
    with opened(f"{charted}/cost.html", color_scheme=scheme, java_script_enabled=scripts) as page:
        if scripts:
            drawn(page)
        for variable in ("--ink", "--soft"):
            wanted = page.locator("html").evaluate(
                """(root, name) => {
                    const probe = document.body.appendChild(document.createElement("i"));
                    probe.style.color = `var(${name})`;
                    const colour = getComputedStyle(probe).color;
                    probe.remove();
                    return colour;
                }""",
                variable,
            )
            found = page.locator("figure.plot svg text").evaluate_all(
                "all => all.map(one => getComputedStyle(one).fill)"
            )
            assert wanted in found


@pytest.mark.parametrize("width", [390, 1440])
def test_no_new_page_scrolls_sideways(
    opened: Callable[..., Any], charted: str, closed_site: dict[str, bytes], width: int
):
    tasks = [path for path in closed_site if path.startswith("tasks/")]
    for path in ("cost.html", "teachers.html", "devices.html", "environments.html", "about.html", tasks[0]):
        with opened(f"{charted}/{path}", width=width) as page:
            if path == "cost.html":
                drawn(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_hostile_names_in_charts_stay_text(opened: Callable[..., Any], on_disk: Callable[..., str], factory: Any):
    names = ["</script><script>document.title='taken'</script>", "<img src=x onerror=\"document.title='taken'\">"]
    found = [
        factory.evaluation(of=factory.method(name), cost={"query_p50_ms": 2.0 + place}, values=[0.5 + place / 10] * 40)
        for place, name in enumerate(names)
    ]
    address = on_disk("hostile-charts", dict(build(found, factory.START.date(), "Test")))
    with opened(f"{address}/cost.html") as page:
        assert drawn(page) == 1
        for mark in page.locator("svg .mark-symbol path").all():
            mark.hover()
            page.locator("#vg-tooltip-element").wait_for(state="visible")
            assert page.locator("#vg-tooltip-element img, #vg-tooltip-element script").count() == 0
        assert page.title().startswith("Cost")

"""Every kind of page: accessible in light and dark, no wider than the screen, safe with hostile texts."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TOP = ("index", "compare", "cost", "teachers", "devices", "environments", "about")
"""Pages beside the index."""
BELOW = ("suites", "tasks", "methods")
"""Folders, one page of each."""


def kinds(site: Mapping[str, bytes]) -> list[str]:
    """One page of every kind."""
    pages = sorted(path for path in site if path.endswith(".html"))
    first = [next(path for path in pages if path.startswith(f"{folder}/")) for folder in BELOW]
    trained = next(path for path in pages if path.startswith("methods/") and b"<figure" in site[path])
    return [*(f"{name}.html" for name in TOP), *first, trained]


@pytest.fixture
def address(on_disk: Callable[..., str], closed_site: dict[str, bytes]) -> str:
    return on_disk("closed", closed_site)


DONE = """() => {
    const said = (place) => place.querySelector("[role=status]").textContent;
    const all = (selector, holds) => [...document.querySelectorAll(selector)].every(holds);
    return all(".board", (board) => "ready" in board.dataset)
        && all("#compare", (place) => !place.hidden && !["", "Loading …"].includes(said(place)))
        && all("figure:has(> script.chart) .drawing", (drawing) =>
            "interactive" in drawing.dataset || drawing.getBoundingClientRect().top > innerHeight + 300);
}"""
"""Whether tables, the comparison, and the charts that are in view have been drawn."""


def settled(page: Any) -> None:
    """Wait until scripts have done what they do on loading."""
    page.wait_for_load_state("load")
    page.wait_for_function(DONE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_rule_of_accessibility(opened, address, closed_site, scheme: str):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    with opened(f"{address}/index.html", color_scheme=scheme, bypass_csp=True) as page:
        for path in kinds(closed_site):
            page.goto(f"{address}/{path}")
            settled(page)
            found = axe.Axe().run(page).response["violations"]
            told = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found]
            assert told == [], path


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_pages_are_no_wider_than_the_screen_and_first_columns_stay(opened, address, closed_site, width: int):
    with opened(f"{address}/index.html", width=width) as page:
        for path in kinds(closed_site):
            page.goto(f"{address}/{path}")
            settled(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            table = page.locator(".scroll:has(tbody th)").first
            if table.count() and table.evaluate("box => box.scrollWidth > box.clientWidth"):
                head = table.locator("tbody th").first
                before = head.bounding_box()["x"]
                table.evaluate("box => (box.scrollLeft = 200)")
                assert head.bounding_box()["x"] == pytest.approx(before, abs=1), path


def test_colours_follow_the_system(opened, address):
    grounds = {}
    for scheme in ("light", "dark"):
        with opened(f"{address}/index.html", color_scheme=scheme) as page:
            grounds[scheme] = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert sum(map(int, grounds["light"][4:-1].split(","))) > 700
    assert sum(map(int, grounds["dark"][4:-1].split(","))) < 120


def test_everything_can_be_reached_by_keyboard(opened, address):
    with opened(f"{address}/index.html") as page:
        settled(page)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        reached = set()
        for _ in range(80):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate("document.activeElement.closest('nav, .controls, .scroll, footer')?.className ?? ''")
            )
        assert {"controls", "scroll"} <= {word for name in reached for word in name.split()}


def test_reduced_motion_is_heeded(opened, address):
    with opened(f"{address}/index.html", reduced_motion="reduce") as page:
        assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def hostile() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hostile", Path(__file__).parent.parent / "test_hostile.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("number", range(8))
def test_hostile_texts_stay_texts(opened, on_disk, factory: ModuleType, number: int):
    value = hostile().VALUES[number]
    site = dict(hostile().board_of(factory, value, "javascript:alert(1)"))
    address = on_disk(f"hostile-{number}", site)
    pages = sorted(path for path in site if path.endswith(".html"))
    with opened(f"{address}/{pages[0]}") as page:
        for path in pages:
            page.goto(f"{address}/{path}")
            settled(page)
            assert page.locator("script:not([src]):not([type='application/json'])").count() == 0
            assert page.locator("img, iframe, object, embed").count() == 0
            assert page.locator("a[href^='javascript']").count() == 0


def test_nothing_is_loaded_from_elsewhere_and_inline_scripts_do_not_run(opened, address, closed_site, on_disk):
    with opened(f"{address}/index.html", allowed="Content Security Policy") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        settled(page)
        assert asked
        assert all(url.startswith("file:") or url.startswith("data:") for url in asked)
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.run = 1\">')")
        page.evaluate("""() => {
            const script = document.createElement('script');
            script.textContent = 'window.run = 2';
            document.body.append(script);
        }""")
        page.wait_for_timeout(200)
        assert page.evaluate("window.run") is None

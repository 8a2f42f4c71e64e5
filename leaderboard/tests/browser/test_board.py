"""The overview in a browser: sorting, filters, search, columns, the view in the address, exports; without scripts."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest

SECTION = "closed-closed-tiny"


@pytest.fixture
def overview(on_disk: Callable[..., str], closed_site: dict[str, bytes]) -> str:
    return on_disk("closed", closed_site) + "/index.html"


def ready(page: Any) -> Any:
    """The interactive table, once it is there."""
    page.wait_for_selector(".board[data-ready] .controls")
    return page.locator(".board").first


def names(page: Any) -> list[str]:
    return page.locator(".board tbody th .name").all_inner_texts()


def column(page: Any, head: str) -> list[str]:
    heads = [text.split("\n")[0] for text in page.locator(".board thead th").all_inner_texts()]
    return [row.locator("> *").nth(heads.index(head)).inner_text() for row in page.locator(".board tbody tr").all()]


def figures(texts: list[str]) -> list[float]:
    """The first number of each cell that has one."""
    found = (re.search(r"\d[\d,]*(?:\.\d+)?", text) for text in texts)
    return [float(match[0].replace(",", "")) for match in found if match]


def test_same_methods_and_figures_as_without_scripts(opened, overview):
    with opened(overview, java_script_enabled=False) as page:
        static, means = names(page), column(page, "Mean")
    with opened(overview) as page:
        ready(page)
        assert names(page) == static
        assert figures(column(page, "Mean")) == figures([text for text in means if " of " not in text])


def test_sorts_by_a_column_and_by_several_and_keeps_it_in_the_address(opened, overview, sort_by):
    with opened(overview) as page:
        ready(page)
        before = names(page)
        head = page.locator(".board thead th", has_text="query p50")
        sort_by(head)
        rising = figures(column(page, "query p50"))
        assert rising == sorted(rising)
        sort_by(head)
        falling = figures(column(page, "query p50"))
        assert falling == sorted(falling, reverse=True)
        further = page.locator(".board thead th", has_text="Method")
        sort_by(further, lambda: further.click(modifiers=["Shift"]))
        assert "sort=query_p50_ms+desc%2Cmethod+asc" in page.url
        order = names(page)
        assert order != before
        page.goto("about:blank")
        page.goto(f"{overview}#{SECTION}.sort=query_p50_ms+desc%2Cmethod+asc")
        ready(page)
        assert names(page) == order
        page.get_by_role("button", name="Reset").click()
        assert names(page) == before
        assert "=" not in page.url


def test_sorts_by_keyboard_and_tells_the_order(opened, overview, sort_by):
    with opened(overview) as page:
        ready(page)
        head = page.locator(".board thead th", has_text="indexing")
        head.locator("[role=button]").focus()
        sort_by(head, lambda: page.keyboard.press("Enter"))
        assert head.get_attribute("aria-sort") == "ascending"


def test_what_is_missing_stands_last_both_ways(opened, on_disk, small_site, sort_by):
    with opened(on_disk("small", small_site) + "/index.html") as page:
        page.wait_for_selector(".board[data-ready] .controls")
        table = page.locator(".board", has=page.locator("text=cascade")).first
        head = table.locator("thead th", has_text="scifact")
        for _ in range(2):
            sort_by(head)
            shown = [row.inner_text() for row in table.locator("tbody tr").all()]
            assert "cascade" in shown[-1]


def test_filters_search_and_columns(opened, overview):
    with opened(overview) as page:
        board = ready(page)
        everyone = names(page)
        roles = board.locator(".filters label", has_text="Role").locator("select")
        roles.select_option(label="control: labels alone")
        assert 0 < len(names(page)) < len(everyone)
        roles.select_option(label="all")
        board.get_by_label("Search").fill(everyone[-1])
        assert everyone[-1] in names(page)
        board.get_by_label("Search").fill("")
        board.locator("summary", has_text="Columns").click()
        board.locator(".chooser").get_by_label("Family").check()
        assert "Family" in board.locator("thead").inner_text()
        assert "columns=family" in page.url
        with page.expect_download() as download:
            board.get_by_role("button", name="CSV").click()
        rows = list(csv.reader(io.StringIO(download.value.path().read_text("utf-8"))))
        assert "Family" in rows[0]
        assert len(rows) == 1 + len(everyone)


def test_exports_numbers_as_numbers_and_as_printed(opened, overview, closed_site):
    with opened(overview) as page:
        board = ready(page)
        texts = {}
        for name in ("CSV", "LaTeX", "Markdown"):
            with page.expect_download() as download:
                board.get_by_role("button", name=name).click()
            texts[name] = download.value.path().read_text("utf-8")
        mean = figures(column(page, "Mean"))
    rows = list(csv.DictReader(io.StringIO(texts["CSV"])))
    exact = [float(row[next(key for key in row if key.startswith("Mean"))]) for row in rows if row["Method"]][
        : len(mean)
    ]
    assert exact == pytest.approx(mean, abs=5e-5)
    assert texts["LaTeX"].count("\\\\\n") == len(rows) + 1
    assert f"{mean[0]:.4f}" in texts["LaTeX"]
    assert texts["Markdown"].count("\n") == len(rows) + 2


def test_no_table_is_lost_if_its_data_is_not_there(opened, on_disk, closed_site):
    partial = {path: content for path, content in closed_site.items() if not path.startswith("data/tables/")}
    with opened(on_disk("partial", partial) + "/index.html", allowed="ould not be loaded") as page:
        page.wait_for_timeout(300)
        assert names(page)

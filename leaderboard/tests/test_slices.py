"""Long tables on several pages: all rows are there once, and every page is linked."""

from collections.abc import Iterator, Sequence
from datetime import date
from types import ModuleType
from urllib.parse import urldefrag, urljoin

import html5lib
import pytest
from harness_leaderboard import evaluation_pages, overview_page, task_page
from harness_leaderboard.pages import build
from harness_leaderboard.slices import slices

from harness.store.records import Evaluation

METHODS, SEEDS = 7, 5


def test_slices_have_every_row_once_and_know_their_places():
    found = slices("abcde", 2, "index.html#x", "more/x-#.html")
    assert ["".join(part.rows) for part in found] == ["ab", "cd", "e"]
    assert [part.page for part in found] == ["index.html#x", "more/x-2.html", "more/x-3.html"]
    assert [(part.number, part.before, part.total) for part in found] == [(1, 0, 5), (2, 2, 5), (3, 4, 5)]


@pytest.mark.parametrize(("rows", "pages"), [("", 1), ("ab", 1), ("abc", 2)])
def test_there_is_always_one_page_and_no_empty_one_after(rows: str, pages: int):
    assert len(slices(rows, 2, "a", "a-#")) == pages


@pytest.fixture(scope="module")
def long_site(factory: ModuleType) -> Iterator[dict[str, bytes]]:
    """Seven methods of five seeds and a failure each, at three rows a page."""
    task = factory.task("one", queries=4)
    evaluations: list[Evaluation] = []
    for number in range(METHODS):
        for seed in range(SEEDS):
            values = [0.1 * number + 0.01 * seed] * 4
            evaluations.append(factory.evaluation(of=factory.method(f"m{number}"), on=task, seed=seed, values=values))
        evaluations.append(factory.failed(factory.evaluation(of=factory.method(f"m{number}"), on=task, seed=99)))
    with pytest.MonkeyPatch.context() as patch:
        for module in (overview_page, task_page, evaluation_pages):
            patch.setattr(module, "ROWS", 3)
        yield dict(build(evaluations, date(2026, 3, 2), "Long"))


def rows_of(site: dict[str, bytes], paths: Sequence[str], table: str) -> list[str]:
    """The first cell of each row of the tables of this class, page after page."""
    found: list[str] = []
    for path in paths:
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(site[path].decode())
        (wanted,) = [one for one in tree.iter("table") if one.get("class") == table]
        found += ["".join(row[0].itertext()) for row in wanted.find("tbody")]
    return found


def test_overview_and_ranking_have_every_method_once_best_first(long_site: dict[str, bytes]):
    best_first = [f"m{number}" for number in reversed(range(METHODS))]
    overview = ["index.html", "overview/open-2.html", "overview/open-3.html"]
    assert rows_of(long_site, overview, "overview") == best_first
    (page,) = [path for path in long_site if path.startswith("tasks/") and path.count("/") == 1]
    folder = page.removesuffix(".html")
    assert rows_of(long_site, [page, f"{folder}/open-2.html", f"{folder}/open-3.html"], "ranking") == best_first


def test_every_evaluation_has_its_place_on_one_page(long_site: dict[str, bytes]):
    pages = {path: content.decode() for path, content in long_site.items() if path.startswith("methods/m0-")}
    assert len(pages) == 2
    anchors = [
        found.get("id")
        for text in pages.values()
        for found in html5lib.parse(text, namespaceHTMLElements=False).iter("article")
    ]
    assert len(anchors) == len(set(anchors)) == SEEDS + 1
    first = next(text for path, text in pages.items() if path.count("/") == 1)
    assert 'id="failed"' in first, "the overview links there"


def test_links_between_slices_lead_somewhere(long_site: dict[str, bytes]):
    trees = {
        path: html5lib.parse(content.decode(), namespaceHTMLElements=False)
        for path, content in long_site.items()
        if path.endswith(".html")
    }
    anchors = {path: {found.get("id") for found in tree.iter()} for path, tree in trees.items()}
    seen: set[str] = set()
    for path, tree in trees.items():
        for link in tree.iter("a"):
            if not link.get("href").startswith("http"):
                address, anchor = urldefrag(urljoin(path, link.get("href")))
                assert address in long_site, f"{path} links to {link.get('href')}"
                assert not anchor or anchor in anchors[address], f"{path} links to {link.get('href')}"
                seen.add(address)
    assert set(trees) <= seen | {"index.html"}, "a page that nothing links to"

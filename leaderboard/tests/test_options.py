import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from harness_leaderboard.board import COSTS
from harness_leaderboard.chosen import chosen
from harness_leaderboard.options import Link, Options, read_options
from harness_leaderboard.pages import build

from harness.errors import ConfigError

DAY = date(2026, 3, 2)
WHOLE = """
title = "Lab board"
description = "What we run."
sections = ["open", "closed/closed-tiny"]
citation = "Us, 2026"
texts = false
runs = false

[columns]
measures = ["R@100"]
costs = ["query_p50_ms"]

[footer]
text = "Made in the lab."
[[footer.links]]
text = "Imprint"
url = "https://example.org/imprint"
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Options]:
    def made(text: str) -> Options:
        file = tmp_path / "leaderboard.toml"
        file.write_text(text)
        return read_options(file)

    return made


def test_every_key_is_read(read):
    assert read(WHOLE) == Options(
        title="Lab board",
        description="What we run.",
        sections=("open", "closed/closed-tiny"),
        measures=("R@100",),
        costs=("query_p50_ms",),
        footer="Made in the lab.",
        links=(Link(text="Imprint", url="https://example.org/imprint"),),
        citation="Us, 2026",
        texts=False,
        runs=False,
    )


def test_an_empty_file_changes_nothing(read):
    assert read("") == Options()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('titel = "x"', "did you mean 'title'"),
        ("[columns]\nmesures = ['AP']", "columns: no key named 'mesures'; did you mean 'measures'"),
        ("[columns]\ncosts = ['query_p50']", "did you mean 'query_p50_ms'"),
        ("[footer]\ncolour = 'red'", "known: text, links"),
        ("title = 7", "title: expected text"),
        ("title = ''", "title: expected text that is not empty"),
        ("texts = 'yes'", "texts: expected true or false"),
        ("sections = 'open'", "sections: expected a list"),
        ("sections = ['closed-tiny']", "sections: expected `open`, `closed`"),
        ("sections = ['open', 'open']", "each text once"),
        ("columns = 3", "columns: expected a table"),
        ("[[footer.links]]\ntext = 'x'\nurl = 'javascript:alert(1)'", "an address of the web"),
        ("[[footer.links]]\ntext = 'x'", "key 'url' is missing"),
        ("title = ", "expected a TOML file"),
    ],
)
def test_a_mistake_is_named_with_what_was_expected(read, text: str, says: str):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert says in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="FileNotFoundError"):
        read_options(tmp_path / "leaderboard.toml")


def test_sections_are_shown_in_the_order_given_and_the_others_left_out(factory: ModuleType):
    small = factory.small()
    for names, order in ((("open", "closed"), ["open", "closed-closed-tiny"]), (("open",), ["open"])):
        index = dict(build(small, DAY, "Test", Options(sections=names)))["index.html"].decode()
        found = [index.find(f'<h2 id="{anchor}"') for anchor in order]
        assert -1 not in found
        assert found == sorted(found)
    assert b"closed-closed-tiny" not in dict(build(small, DAY, "Test", Options(sections=("open",))))["index.html"]


def test_the_entry_of_a_suite_goes_before_that_of_its_division():
    options = Options(sections=("closed", "open", "closed/closed-tiny"))
    assert [options.place(*where) for where in (("closed", "x"), ("open", ""), ("closed", "closed-tiny"))] == [0, 1, 2]


def test_a_section_that_the_store_lacks_is_refused(factory: ModuleType):
    with pytest.raises(ConfigError, match="closed/closed-tiny, open"):
        chosen(factory.small(), Options(sections=("closed/closed-small",)))


def test_measures_and_costs_that_are_not_chosen_are_not_shown(factory: ModuleType):
    options = Options(measures=("R@100",), costs=("query_p50_ms",))
    page = next(
        text.decode()
        for path, text in build(factory.small(), DAY, "Test", options)
        if path.startswith("tasks/") and path.endswith(".html")
    )
    heads = page[page.index("<thead>") : page.index("</thead>")]
    assert [name in heads for name in ("nDCG@10", "R@100", "RR@10", "query p50", "index size")] == [
        True,
        True,
        False,
        True,
        False,
    ]


def test_footer_description_and_citation_stand_on_the_site(factory: ModuleType):
    options = Options(
        description="What <we> run.",
        footer="Made in the lab.",
        links=(Link(text="Imprint", url="https://example.org/"),),
        citation="Us, 2026",
    )
    site = dict(build(factory.small(), DAY, "Test", options))
    assert b"What &lt;we&gt; run." in site["index.html"]
    for path in ("index.html", "cost.html"):
        assert b'Made in the lab. <a href="https://example.org/" rel="noopener noreferrer">Imprint</a>' in site[path]
    assert b"Us, 2026" in site["about.html"]


def test_without_texts_no_text_of_a_query_is_published(factory: ModuleType):
    with_texts, without = (
        b"".join(content for _, content in build(factory.small(), DAY, "Test", Options(texts=texts)))
        for texts in (True, False)
    )
    assert b"query 17" in with_texts
    assert b"query 17" not in without


def test_costs_that_are_not_chosen_can_still_be_chosen_on_the_overview(factory: ModuleType):
    site = dict(build(factory.small(), DAY, "Test", Options(costs=("index_bytes",))))
    text = site["data/tables/open.js"].decode()
    columns = json.loads(text[text.index(",") + 1 : text.rindex(")")])["columns"]
    assert {column["id"]: column["shown"] for column in columns if column["id"] in COSTS} == {
        "index_seconds": False,
        "query_p50_ms": False,
        "index_bytes": True,
        "parameters": False,
    }

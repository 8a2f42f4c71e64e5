"""External results have a section of their own; what was evaluated is shown as if they were not there."""

import json
from dataclasses import replace
from datetime import date, timedelta
from types import ModuleType
from typing import Any

import html5lib
import pytest
from harness_leaderboard.board import assemble
from harness_leaderboard.external import EXTERNAL
from harness_leaderboard.options import Options
from harness_leaderboard.pages import build

from harness.store.records import Evaluation, TaskRecord

DAY = date(2026, 3, 2)
MTEB = {"source": "mteb", "revision": "r1"}


def said(factory: ModuleType, name: str, on: TaskRecord, value: float, origin: Any = None, **fields: Any) -> Evaluation:
    """An external result whose measures are all `value`."""
    origin = origin or {"source": "run file", "url": "https://example.org/run"}
    of = replace(factory.method(name, kind="external"), implementation="", distribution="", version="")
    usual = {
        "id": "x" + factory.digest(name, origin, on.fingerprint, value)[1:],
        "division": "external",
        "device": "",
        "calibration": {},
        "environment": {"file": "run.trec", "sha256": "ab"},
        "cost": {},
        "artefacts": (),
    }
    return factory.evaluation(of=of, on=on, config=origin, values=[value] * len(on.query_ids), **usual | fields)


def from_mteb(factory: ModuleType, name: str, value: float, origin: Any = None, **fields: Any) -> Evaluation:
    """One of which only the means are known, on a task that is known by name and revision only."""
    on = replace(factory.task("mteb:NFCorpus", revision="abc"), fingerprint="mteb-1234", query_ids=(), query_texts=())
    known = factory.task("mteb:NFCorpus")
    whole = said(factory, name, replace(known, fingerprint="mteb-1234"), value, origin or MTEB, **fields)
    return replace(whole, task=on, per_query=dict.fromkeys(whole.measures, ()))


@pytest.fixture
def others(factory: ModuleType) -> list[Evaluation]:
    """Better than all that was evaluated: on a task of the small board, by a name that is on it too, and on another."""
    nfcorpus = factory.task("nfcorpus", queries=30)
    return [
        said(factory, "bm25", nfcorpus, 0.9999),
        said(factory, "theirs", nfcorpus, 0.9998),
        from_mteb(factory, "lab/model", 0.7654),
    ]


def section(page: bytes) -> Any:
    """The table of external results of a page, or None."""
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page.decode())
    found = [one for one in tree.iter("section") if [h.get("id") for h in one.iter("h2")] == ["external"]]
    return found[0] if found else None


def text(node: Any) -> str:
    return " ".join("".join(node.itertext()).split())


def test_nothing_that_ranks_knows_of_them(factory: ModuleType, others: list[Evaluation]):
    without, both = (assemble(found, DAY, "Test") for found in (factory.small(), [*others, *factory.small()]))
    assert replace(both, external=without.external) == without
    assert not without.external.rows
    assert {one.id for one in both.external.evaluations} == {one.id for one in others}
    assert not {one.id for one in others} & (both.shown | set(both.by_id))


def test_only_their_sections_and_their_data_are_new_on_the_site(factory: ModuleType, others: list[Evaluation]):
    without, both = (dict(build(found, DAY, "Test")) for found in (factory.small(), [*others, *factory.small()]))
    changed = sorted(path for path in both if both[path] != without.get(path))
    (page,) = [path for path in both if path.startswith("tasks/nfcorpus")]
    assert changed == ["data/external.json", "index.html", page]
    assert set(both) - set(without) == {"data/external.json"}
    assert section(without["index.html"]) is None


def test_each_row_says_where_it_is_from_and_none_is_marked(factory: ModuleType, others: list[Evaluation]):
    site = dict(build([*others, *factory.small()], DAY, "Test"))
    found = section(site["index.html"])
    assert text(found.find("h2")) == "External results"
    rows = [[text(cell) for cell in row] for row in found.iter("tr")]
    assert rows[0][2:] == ["mteb:NFCorpus test, revision abc nDCG@10", "nfcorpus test nDCG@10"]
    assert rows[1:] == [
        ["bm25", "run file, scored here", "–nothing said", "0.9999"],
        ["lab/model", "result file of mteb revision r1", "0.7654", "–nothing said"],
        ["theirs", "run file, scored here", "–nothing said", "0.9998"],
    ]
    classes = {part.get("class") for part in found.iter() if part.get("class")}
    assert not classes & {"best", "tied", "cut"}
    links = [link.get("href") for link in found.iter("a")]
    assert links.count("https://example.org/run") == 2


def test_a_task_shows_those_of_its_content_only(factory: ModuleType, others: list[Evaluation]):
    site = dict(build([*others, *factory.small()], DAY, "Test"))
    pages = {path: section(content) for path, content in site.items() if path.startswith("tasks/")}
    (page,) = [path for path, found in pages.items() if found is not None]
    assert "nfcorpus" in page
    assert [text(row.find("th")) for row in list(pages[page].iter("tr"))[1:]] == ["bm25", "theirs"]


def test_a_corrected_result_takes_the_place_of_the_older(factory: ModuleType):
    old = from_mteb(factory, "lab/model", 0.5)
    new = from_mteb(factory, "lab/model", 0.25, finished=old.finished + timedelta(days=1))
    other = from_mteb(factory, "lab/model", 0.75, {**MTEB, "revision": "r2"})
    rows = assemble([new, other, old], DAY, "Test").external.rows
    assert [(row.details, *row.values.values()) for row in rows] == [("revision r1", 0.25), ("revision r2", 0.75)]


def test_a_store_of_external_results_alone_gives_a_site(factory: ModuleType):
    site = dict(build([from_mteb(factory, "lab/model", 0.5)], DAY, "Test"))
    assert section(site["index.html"]) is not None
    assert not [path for path in site if path.startswith(("tasks/", "methods/"))]


def test_hostile_names_and_addresses_are_text(factory: ModuleType):
    bad = "<script>alert(1)</script>"
    origin = {"source": bad, "url": "javascript:alert(1)", "revision": bad}
    hostile = from_mteb(factory, bad, 0.5, origin)
    facts = {**hostile.task.facts, "revision": bad, "measures": [bad]}
    hostile = replace(
        hostile,
        task=replace(hostile.task, name=bad, split=bad, facts=facts),
        measures={bad: 0.5},
        per_query={bad: ()},
    )
    page = dict(build([hostile], DAY, "Test"))["index.html"]
    assert b"<script>alert" not in page
    found = section(page)
    assert [link.get("href") for link in found.iter("a")] == ["data/external.json"]
    assert text(found).count("<script>alert(1)</script>") == 6, "name, source, revision, task, split, measure"


def test_the_data_file_has_what_is_documented(factory: ModuleType, others: list[Evaluation]):
    site = dict(build([*others, *factory.small()], DAY, "Test"))
    records = json.loads(site["data/external.json"])["external"]
    assert [record["id"] for record in records] == sorted(one.id for one in others)
    for record in records:
        assert set(record) == {field.name for field in EXTERNAL.fields}
    assert "external.json" in json.loads(site["data/schema.json"])["files"]


def test_they_are_left_out_like_any_section(factory: ModuleType, others: list[Evaluation]):
    everything = [*others, *factory.small()]
    shown = dict(build(everything, DAY, "Test", Options(sections=("open", "external"))))
    hidden = dict(build(everything, DAY, "Test", Options(sections=("open",))))
    assert section(shown["index.html"]) is not None
    assert section(hidden["index.html"]) is None
    assert "data/external.json" not in hidden

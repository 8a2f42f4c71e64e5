"""Names, texts and addresses that want to be more than text."""

import re
from dataclasses import replace
from datetime import date
from types import ModuleType
from typing import Any

import html5lib
import pytest
from harness_leaderboard.pages import build

SCRIPT = "<script>alert(1)</script>"
QUOTE = "\"'><img src=x onerror=alert(1)>"
TURNED = "safe\u202egnp.exe\u2066"
BRACES = "{{ 7 * 191 }}{% raw %}"
VALUES = [SCRIPT, QUOTE, TURNED, BRACES, "</style><p>", "a\x00b\ud800", "../../../etc/passwd", "&lt;b&gt;&amp;"]


def board_of(factory: ModuleType, value: str, url: str) -> dict[str, bytes]:
    """A site on which every foreign text is `value` and every address `url`."""
    paper = {"title": value, "authors": value, "year": 2020, "venue": value, "url": url}
    claim = {"dataset": value, "measure": value, "value": 0.5, "source": value, "task": value}
    knob: dict[str, Any] = {
        "name": value,
        "default": value,
        "help": value,
        "unit": value,
        "paper": value,
        "type": value,
    }
    texts = {"summary": value, "family": value, "deviations": [value]}
    method = factory.method(value, kind=value, paper=paper, claims=[claim], knobs=[knob], **texts)
    method = replace(method, distribution=value, version=value, implementation=value)
    facts = {"summary": value, "licence": value, "citation": value, "source": url, "revision": value}
    task = factory.task(
        value, split=value, queries=4, languages=[value], splits=[value, "x"], measures=[value], **facts
    )
    evaluation = factory.evaluation(
        of=method,
        on=replace(task, fingerprint=value),
        config={value: value, "base": {"plugin": value, "config": {value: value}}},
        config_digest=value,
        checkpoints={value: value},
        id=value,
        suite=value,
        division="closed",
        training={
            "lesson": value,
            "student": value,
            "teachers": [value, {value: value}],
            "tasks": value,
            "candidates": value,
            "account": {"steps": value, "seconds": 2.5},
            "curves": {value: [3.0, 2.0], f"{value}2": [value], "none": None},
            "trials": {value: [value]},
        },
        device=value,
        command=value,
        environment={value: {value: [value]}},
        calibration={value: 1.0},
        first_stages=(value, f"{value}2"),
        harness_version=value,
        cost={value: 1.0, "index_seconds": 1.0},
    )
    other = replace(evaluation, id=f"{value} again", config_digest=f"{value}!", config={value: "other"})
    lost = replace(factory.failed(evaluation, error=value), id=f"{value} lost", seed=1)
    return dict(build([evaluation, other, lost], date(2026, 3, 2), value))


@pytest.mark.parametrize("value", VALUES)
def test_hostile_text_stays_text(factory: ModuleType, value: str):
    for path, content in board_of(factory, value, "javascript:alert(1)").items():
        assert re.fullmatch(r"[a-z0-9/_-]+\.(html|json|csv|js)", path)
        if path.endswith(".html"):
            text = content.decode()
            tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
            assert not [found.tag for found in tree.iter() if found.tag == "img"]
            assert not [found for found in tree.iter("script") if "<" in (found.text or "")]
            assert all(found.get("src") or found.get("type") == "application/json" for found in tree.iter("script"))
            names = {name for found in tree.iter() for name in found.attrib}
            assert not [name for name in names if name.startswith("on")]
            assert not re.search("[\x00\u202a-\u202e\u2066-\u2069]", text)
            assert "1337" not in text  # no template in a text is filled


def test_hostile_text_is_still_shown(factory: ModuleType):
    site = board_of(factory, SCRIPT, "https://example.org")
    tree = html5lib.parse(site["index.html"].decode(), namespaceHTMLElements=False)
    assert SCRIPT in "".join(tree.find(".//h1").itertext())


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example/", "file:///x"]
)
def test_no_address_but_of_the_web_becomes_a_link(factory: ModuleType, url: str):
    for path, content in board_of(factory, "plain", url).items():
        if path.endswith(".html"):
            tree = html5lib.parse(content.decode(), namespaceHTMLElements=False)
            assert not [link for link in tree.iter("a") if link.get("href").startswith(url)]


def test_web_addresses_do(factory: ModuleType):
    url = 'https://example.org/?a=1&b="2"'
    for path, content in board_of(factory, "plain", url).items():
        if path.startswith(("methods/", "tasks/")):
            tree = html5lib.parse(content.decode(), namespaceHTMLElements=False)
            assert url in [link.get("href") for link in tree.iter("a")]


def test_names_that_clash_as_file_names_get_pages_of_their_own(factory: ModuleType):
    names = ["A b", "a-b", "a/b", "日本", "中国"]
    site = dict(
        build(
            [
                factory.evaluation(of=factory.method(name), on=factory.task(name), config_digest="0" * 16)
                for name in names
            ],
            date(2026, 3, 2),
            "Clashes",
        )
    )
    assert len([path for path in site if path.startswith("methods/")]) == 5
    assert len([path for path in site if path.startswith("tasks/")]) == 5


def test_scripts_are_given_no_character_that_cannot_be_seen(factory: ModuleType):
    site = board_of(factory, TURNED, "https://example.org")
    given = [content for path, content in site.items() if path.startswith("data/tables/") or path == "data/compare.js"]
    assert all(b"\\ufffd" in content for content in given)
    assert not [content for content in given if b"\\u202e" in content or b"\\u2066" in content]

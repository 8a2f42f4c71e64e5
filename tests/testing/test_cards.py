"""Faults of cards: each is caught by the check meant for it, and by no other check of cards."""

import sys
from importlib.metadata import EntryPoint

import pytest

from harness.plugins import Registry, Source
from harness.testing.checks import card, failure
from harness.testing.installed import install
from harness.testing.subject import Subject

SOURCE = """
from dataclasses import dataclass, field
from harness import Card, Claim, Paper, Use, hookimpl, knob

@dataclass(frozen=True, kw_only=True)
class Config:
    k1: float = knob(0.9, "saturation", low=0, high=10)
    base: Use | None = knob(None, "first stage", nested="retriever")

CARD = Card(
    name="carded",
    kind="retriever",
    summary="A sentence.",
    method="harness_carded.method:Method",
    config=Config,
    paper=Paper(title="T", authors="A", year=2020, url="https://example.org"),
    presets={"high": {"k1": "9"}},
    first_stages=("base",),
    claims=(Claim(dataset="d", measure="nDCG@10", value=0.3, source="Table 1"),),
)

@hookimpl
def harness_retrievers():
    return [CARD]
"""

FAULTS = [
    ('summary="A sentence."', 'summary=" "', "card_is_complete"),
    ('measure="nDCG@10"', 'measure="nDGC@10"', "card_is_complete"),
    ('url="https:', 'url="javascript:', "card_is_complete"),
    ("first_stages=", 'gives=("score",), first_stages=', "card_is_complete"),
    ("first_stages=", 'needs=("score",), first_stages=', "card_is_complete"),
    ("frozen=True", "frozen=False", "options_are_sound"),
    ('"saturation"', '""', "options_are_sound"),
    ('knob(0.9, "saturation", low=0, high=10)', "0.9", "options_are_sound"),
    ("knob(0.9,", "knob(11.0,", "options_are_sound"),
    ('{"k1": "9"}', '{"k1": "99"}', "options_are_sound"),
    ('{"k1": "9"}', '{"k3": "9"}', "options_are_sound"),
    ('first_stages=("base",)', 'first_stages=("k1",)', "options_are_sound"),
    ("from dataclasses", "import numpy\nfrom dataclasses", "import_is_light"),
    ("from dataclasses", "import sys\nassert 'pytest' in sys.modules\nfrom dataclasses", "import_is_light"),
]


@pytest.fixture
def failed(tmp_path, monkeypatch):
    """The names of the checks that a card with this source fails."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def check(source):
        install(tmp_path, "carded", source)
        registry = Registry([Source("carded", "d", "1", EntryPoint("carded", "harness_carded", "harness"))])
        subject = Subject(registry=registry, kind="retriever", name="carded", folder=tmp_path / "work")
        return {check.__name__ for check in card.CHECKS if failure(check, subject)}

    yield check
    sys.modules.pop("harness_carded", None)


def test_right_card(failed):
    assert failed(SOURCE) == set()


@pytest.mark.parametrize(("right", "wrong", "meant"), FAULTS)
def test_fault_is_caught(failed, right, wrong, meant):
    assert right in SOURCE
    assert failed(SOURCE.replace(right, wrong, 1)) == {meant}

"""What others say is stored as external, once, under an id that no evaluation can have."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.errors import StoreError
from harness.store import exchange, open_store
from harness.store.external import Said, external
from harness.store.inspection import problems

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def said(sample):
    """What somebody says, with fields changed."""
    task = sample().task

    def make(**changes) -> Said:
        usual = {
            "method": "theirs",
            "summary": "They say so.",
            "origin": {"source": "run file", "url": "https://example.org/run", "revision": ""},
            "file": {"file": "run.trec", "sha256": "ab"},
            "task": task,
            "content": "digest of the run",
            "measures": {"AP": 0.5},
            "per_query": {"AP": (0.25, 0.5, 0.75)},
            "started": MOMENT,
            "finished": MOMENT,
            "command": "harness results import-run run.trec",
        }
        return Said(**usual | changes)

    return make


def test_it_is_stored_as_it_was_said_and_marked(store, said):
    result = external(said())
    store.put(result)
    assert store.evaluation(result.id) == result
    assert problems(store) == []
    assert (result.division, result.method.kind, result.device, result.cost) == ("external", "external", "", {})
    assert result.config == {"source": "run file", "url": "https://example.org/run"}
    assert result.environment == {"file": "run.trec", "sha256": "ab"}


def test_its_id_names_what_is_said_and_not_when_or_in_which_file(said, sample):
    one = external(said()).id
    later = {"started": MOMENT, "finished": datetime(2027, 1, 1, tzinfo=UTC), "file": {"file": "b"}, "command": ""}
    named = replace(sample().task, name="beir:nfcorpus", split="other", facts={"documents": 1})
    assert {external(said(**changes)).id for changes in ({}, later, {"task": named})} == {one}
    others = [
        {"method": "other"},
        {"origin": {"source": "mteb"}},
        {"content": "another digest"},
        {"task": replace(sample().task, fingerprint="eeee")},
        {"task": replace(sample().task, facts={"exclude_self": True})},
    ]
    assert len({one, *(external(said(**changes)).id for changes in others)}) == 6


def test_its_id_is_none_that_an_evaluation_can_have(store, said, sample):
    result = external(said())
    assert result.id[0] == "x"
    assert int(result.id[1:], 16) >= 0
    for odd in (replace(result, id="0" * 16), replace(result, division="open"), sample(division="external")):
        with pytest.raises(StoreError, match="never taken for what was evaluated"):
            store.put(odd)
    assert store.evaluations() == []


def test_only_an_external_result_may_be_means_alone(store, said, sample):
    bare = replace(sample().task, query_ids=(), query_texts=())
    store.put(external(said(task=bare, per_query={"AP": ()})))
    assert problems(store) == []
    assert store.evaluations()[0].per_query == {"AP": ()}
    with pytest.raises(StoreError, match="only an external result"):
        store.put(sample(task=bare, per_query=dict.fromkeys(sample().measures, ())))


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://a/b", "https://me:secret@host/x", "http://", "//host", "["]
)
def test_what_is_no_web_address_is_refused(said, url):
    with pytest.raises(StoreError, match="https://"):
        external(said(origin={"source": "run file", "url": url}))


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "\x1b[31m", "a" * 201])
def test_names_that_cannot_be_shown_are_refused(said, name):
    with pytest.raises(StoreError, match="visible characters"):
        external(said(method=name))


def test_numbers_that_are_none_are_refused(store, said):
    for values in ((math.nan, 0.5, 0.5), (0.5,)):
        with pytest.raises(StoreError):
            store.put(external(said(per_query={"AP": values})))


def test_it_travels_as_what_was_evaluated_does(store, said, tmp_path):
    there = open_store(str(tmp_path / "there.db"))
    there.put(external(said()))
    exchange.export(there, tmp_path / "x.gz")
    exchange.write_bundle(there, tmp_path / "x")
    assert exchange.import_results(store, tmp_path / "x.gz").added == 1
    assert exchange.unbundle(store, tmp_path / "x").known == 1
    assert json.dumps(store.evaluations()[0].config) == json.dumps(there.evaluations()[0].config)

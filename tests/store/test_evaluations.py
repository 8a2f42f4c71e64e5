"""What is put into a store is what comes out of it, and nothing that is no number goes in."""

import math
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import func, select

from harness.errors import StoreError
from harness.store import open_store
from harness.store.models import Base
from harness.store.records import Artefact


def rows(store) -> dict[str, int]:
    """How many rows each table has."""
    with store.database.reading() as session:
        tables = Base.metadata.sorted_tables
        return {table.name: session.scalar(select(func.count()).select_from(table)) for table in tables}


def test_done_and_failed_come_back_as_they_were(store, sample):
    done = sample(artefacts=(Artefact(name="run", path="x/run.parquet", sha256="ab", bytes=2**40),))
    failed = sample(failed=True, id="fedc000000000000", seed=2**62, first_stages=(done.id,))
    curve = [1 / (step + 1) for step in range(5000)]
    taught = sample(id="aaaa000000000000", role="control", training={"lesson": "l", "curves": {"train": curve}})
    store.put(done)
    store.put(failed)
    store.put(taught)
    assert store.evaluation(taught.id) == taught
    assert store.evaluation(done.id) == done
    assert store.evaluation(failed.id) == failed
    assert list(store.evaluation(done.id).measures) == ["nDCG@10", "RR@10", "AP"], "the main measure comes first"


def test_failed_is_replaced_and_done_stays(store, sample):
    first = sample(failed=True)
    store.put(first)
    store.put(sample(failed=True, error="DataError: worse"))
    assert store.evaluation(first.id).error == "DataError: worse"
    done = sample()
    store.put(done)
    assert store.state(done.id) == "done"
    store.put(sample(failed=True))
    store.put(sample(device="other"))
    assert store.evaluation(done.id) == done
    assert rows(store) == {
        "evaluations": 1, "measures": 3, "artefacts": 0, "methods": 1, "tasks": 1, "environments": 1,
        "devices": 0, "leases": 0,
    }  # fmt: skip


def test_two_methods_of_one_package_and_two_names_of_one_task_stay_apart(store, sample):
    """One package has one implementation digest, and may provide two methods; equal content may have two names."""
    one = sample()
    two = sample(
        id="2" * 16,
        method=replace(one.method, name="bm25-title"),
        task=replace(one.task, name="beir:nfcorpus", facts={"exclude_self": True}),
    )
    store.put(one)
    store.put(two)
    assert [store.evaluation(e.id) for e in (one, two)] == [one, two]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "place",
    [
        lambda e, x: {"measures": {**e.measures, "AP": x}},
        lambda e, x: {"per_query": {**e.per_query, "AP": (0.1, x, 0.2)}},
        lambda e, x: {"cost": {"search_seconds": x}},
        lambda e, x: {"calibration": {"matmul_gflops": x}},
        lambda e, x: {"config": {"k1": x}},
        lambda e, x: {"environment": {"memory": x}},
    ],
)
def test_what_is_no_number_is_refused(sample, place, number):
    store = open_store()
    with pytest.raises(StoreError):
        store.put(sample(**place(sample(), number)))
    assert set(rows(store).values()) == {0}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"per_query": {"nDCG@10": (0.1, 0.2)}, "measures": {"nDCG@10": 0.15}}, "2 values for 3 queries"),
        ({"per_query": {"nDCG@10": (0.1, 0.2, 0.3)}}, "AP"),
        ({"measures": {}, "per_query": {}}, "expected measures"),
        ({"error": "DataError"}, "no error"),
        ({"state": "failed"}, "expected an error"),
        ({"started": datetime(2026, 1, 1)}, "time zone"),
        ({"role": "referee"}, "expected one of method, control, ceiling, untrained"),
        ({"training": {"curves": {"train": [math.nan]}}}, "training"),
        ({"config": {"k1": object()}}, "config"),
        ({"config": {"name": "\ud800"}}, "config"),
        ({"artefacts": (Artefact(name="run", path="../run", sha256="", bytes=0),)}, "below the artefacts"),
        ({"artefacts": (Artefact(name="run", path="/etc/passwd", sha256="", bytes=0),)}, "below the artefacts"),
    ],
)
def test_what_would_not_be_true_or_not_come_back_is_refused(sample, changes, word):
    store = open_store()
    with pytest.raises(StoreError, match=word):
        store.put(sample(**changes))
    assert store.evaluations() == []


def test_error_text_is_foreign_and_is_stored_whatever_is_in_it(store, sample):
    store.put(sample(failed=True, error="bad \0 byte \udcff; 'quote\"; -- {} %s"))
    assert store.evaluation(sample().id).error == "bad � byte ?; 'quote\"; -- {} %s"


def test_filters_and_order(store, sample):
    bm25, dense = sample().method, replace(sample().method, name="dense", implementation="dddd")
    scifact = replace(sample().task, name="scifact", fingerprint="eeee")
    put = [
        sample(id="b" * 16, task=scifact),
        sample(id="a" * 16, method=dense, failed=True),
        sample(id="d" * 16, seed=2),
        sample(id="c" * 16, seed=10),
    ]
    for evaluation in put:
        store.put(evaluation)

    def ids(**conditions) -> str:
        return "".join(evaluation.id[0] for evaluation in store.evaluations(**conditions))

    assert ids() == "dcab", "by task, method, seed"
    assert ids(method="dense") == "a"
    assert ids(task="scifact", method=bm25.name) == "b"
    assert ids(task="nfcorpus", state="done") == "dc"
    assert ids(ids=["b" * 16, "c" * 16, "not there"]) == "cb"
    assert ids(ids=[]) == ""
    assert ids(method="%") == ""


def test_without_per_query_everything_else_is_there(store, sample):
    store.put(sample())
    (evaluation,) = store.evaluations(per_query=False)
    assert evaluation == replace(sample(), per_query={})


def test_states_of_more_ids_than_a_statement_may_hold(store, sample):
    store.put(sample())
    store.put(sample(id="f" * 16, failed=True))
    ids = [f"{number:016d}" for number in range(70_000)]
    assert store.states([*ids, sample().id, "f" * 16]) == {sample().id: "done", "f" * 16: "failed"}


def test_prefix_names_one_evaluation(store, sample):
    for name in ("abcd000000000000", "abcd100000000000", "ffff000000000000"):
        store.put(sample(id=name))
    assert store.evaluation("ffff").id == "ffff000000000000"
    assert store.evaluation("ABCD1").id == "abcd100000000000"
    for prefix, word in (
        ("abcd", "abcd0.*abcd1"),
        ("abc", "4 characters"),
        ("1234", "no evaluation"),
        ("ff__", "no e"),
    ):
        with pytest.raises(StoreError, match=word):
            store.evaluation(prefix)


def test_remove_takes_all_that_only_it_used(store, sample, with_run):
    gone, kept = (
        with_run(store, sample()),
        with_run(store, sample(id="e" * 16, environment={"python": "another"}, seed=8)),
    )
    for evaluation in (gone, kept):
        store.put(evaluation)
    path = store.artefact_path(gone.artefacts[0])
    assert store.remove(gone.id[:6]) == [path]
    assert not path.parent.exists()
    assert store.artefact_path(kept.artefacts[0]).exists()
    assert store.evaluations() == [kept]
    left = {"evaluations": 1, "measures": 3, "artefacts": 1, "methods": 1, "tasks": 1, "environments": 1}
    assert rows(store) == left | {"devices": 0, "leases": 0}
    store.remove(kept.id)
    assert set(rows(store).values()) == {0}
    with pytest.raises(StoreError):
        store.remove(kept.id)


def test_first_stage_is_removed_only_with_what_started_from_it(store, sample):
    first = sample()
    store.put(first)
    store.put(sample(id="e" * 16, first_stages=(first.id,)))
    with pytest.raises(StoreError, match="e" * 16):
        store.remove(first.id)
    assert len(store.evaluations()) == 2
    store.remove(first.id, "e" * 16)
    assert store.evaluations() == []


def test_changed_or_missing_artefact_is_never_used(store, sample, with_run):
    evaluation = with_run(store, sample())
    (artefact,) = evaluation.artefacts
    path = store.checked_path(artefact)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x")
    with pytest.raises(StoreError, match="changed"):
        store.checked_path(artefact)
    path.unlink()
    with pytest.raises(StoreError, match="run it again"):
        store.checked_path(artefact)


def test_eight_processes_put_one_evaluation(store, sample, with_run, others):
    evaluation = with_run(store, sample())
    processes = others.start(*[("put",)] * 8, given=[[(evaluation,)]] * 8)
    assert others.go(processes) == ["stored"] * 8
    assert store.evaluations() == [evaluation]
    assert rows(store)["methods"] == rows(store)["tasks"] == rows(store)["environments"] == 1


def test_many_writers_lose_nothing(store, sample, others):
    """50 at once on PostgreSQL, 10 on SQLite, five a process; each has evaluations of its own and one that all have."""
    processes = 2 if store.database.sqlite else 10
    own = [sample(id=f"{n:016x}", seed=n) for n in range(5 * processes)]
    shared = sample(id="f" * 16, seed=len(own))
    given = [[(evaluation, shared) for evaluation in own[first : first + 5]] for first in range(0, len(own), 5)]
    assert others.go(others.start(*[("put",)] * processes, given=given)) == ["stored"] * processes
    assert store.evaluations() == [*own, shared]
    assert rows(store)["methods"] == rows(store)["tasks"] == rows(store)["environments"] == 1

"""What counts as the same result, and what happens when others use the store meanwhile or the process is killed."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from harness.errors import StoreError
from harness.runner.artefacts import remove_leftovers
from harness.store import exchange, intake, open_store
from harness.store.conflicts import conflict
from harness.store.inspection import problems
from harness.store.records import Artefact
from tests.conftest import PATIENCE

STAGE = "5" * 16
KILLS = 12


def changed(evaluation, measure: str, *values: float):
    """The evaluation with other values by query, and their mean."""
    return replace(
        evaluation,
        measures={**evaluation.measures, measure: sum(values) / len(values)},
        per_query={**evaluation.per_query, measure: values},
    )


def test_other_times_costs_devices_and_environments_are_the_same_result(sample):
    run = Artefact(name="run", path="a/run.parquet", sha256="ab" * 32, bytes=1)
    other = sample(
        cost={"search_seconds": 9.0},
        device="gpu",
        calibration={},
        environment={},
        harness_version="9",
        command="",
        suite="",
        role="control",
        started=sample().started - timedelta(days=1),
        config={"k1": 0.9, "b": 0.75, "model": "another/place/of/the/same"},
        artefacts=(run,),
    )
    assert conflict(sample(), other) is None


def test_a_measure_that_only_one_has_is_no_contradiction(sample):
    fewer = sample(measures={"AP": 1 / 3}, per_query={"AP": (1 / 3,) * 3})
    assert conflict(sample(), fewer) is None
    assert conflict(fewer, sample()) is None


def test_contradictions_are_told_each(sample):
    task = sample().task
    cases = {
        ("nDCG@10: 0.3000 here, 0.5000 there; 2 of 3 queries differ",): changed(sample(), "nDCG@10", 0.5, 0.3, 0.7),
        ("AP: 0.3333333333333333 here, 0.33333334 there; 3 of 3 queries differ",): changed(
            sample(), "AP", *(0.33333334,) * 3
        ),
        ("task: content ffff here, eeee there",): sample(task=replace(task, fingerprint="eeee")),
        ("task: 3 queries here, 3 others or in another order",): sample(
            task=replace(task, query_ids=("q2", "q1", "q3"))
        ),
        ("measures: nDCG@10, RR@10, AP here, P@1 there; none in common",): sample(
            measures={"P@1": 0.5}, per_query={"P@1": (0.5,) * 3}
        ),
    }
    for differs, other in cases.items():
        assert conflict(sample(), other).differs == differs


def test_means_alone_can_contradict_too(sample):
    bare = replace(sample().task, query_ids=(), query_texts=())
    one = sample(task=bare, measures={"AP": 0.5}, per_query={"AP": ()})
    assert conflict(one, replace(one, cost={})) is None
    assert conflict(one, replace(one, measures={"AP": 0.25})).differs == ("AP: 0.5000 here, 0.2500 there",)


def test_what_else_is_not_the_same_is_named(sample):
    other = changed(sample(device="gpu", environment={}, cost={}, training={"lesson": "x"}), "AP", 0.0, 0.0, 0.0)
    assert conflict(sample(), other).beside == ("device", "environment", "cost", "training")


def test_first_stages_come_before_what_starts_from_them_and_no_circle_is_followed(sample):
    chain = [sample(id=f"{n:016x}", first_stages=(f"{n + 1:016x}", "d" * 16)) for n in range(4)]
    ordered = [one.id for one in intake.stages_first(chain)]
    assert ordered == [f"{n:016x}" for n in (3, 2, 1, 0)]
    circle = [sample(id="a" * 16, first_stages=("b" * 16,)), sample(id="b" * 16, first_stages=("a" * 16,))]
    with pytest.raises(StoreError, match="starts from itself"):
        list(intake.stages_first(circle))


@pytest.fixture
def given(tmp_path, sample, with_run):
    """A bundle of a first stage with its run, a method that starts from it, and another method."""
    there = open_store(str(tmp_path / "there.db"))
    there.put(with_run(there, sample(id=STAGE)))
    there.put(sample(first_stages=(STAGE,)))
    there.put(sample(id="e" * 16))
    exchange.write_bundle(there, tmp_path / "given")
    return tmp_path / "given"


def test_what_is_being_evaluated_here_waits_and_so_does_what_starts_from_it(store, given, sample, monkeypatch):
    monkeypatch.setattr(intake, "PATIENCE_SECONDS", 0.3)
    assert store.acquire(f"evaluation:{STAGE}", "a worker", 60)
    half_done = store.artefacts / STAGE / "run.parquet"
    half_done.parent.mkdir(parents=True)
    half_done.write_bytes(b"the worker's")
    taken = exchange.unbundle(store, given)
    assert (taken.added, set(taken.busy)) == (1, {STAGE, sample().id})
    assert half_done.read_bytes() == b"the worker's"
    store.release(f"evaluation:{STAGE}", "a worker")
    assert exchange.unbundle(store, given).added == 2
    assert problems(store) == []


def test_a_lease_that_ends_soon_is_waited_for(store, given):
    assert store.acquire(f"evaluation:{STAGE}", "another intake", 0.6)
    taken = exchange.unbundle(store, given)
    assert (taken.added, taken.busy) == (3, ())


def test_files_of_a_killed_evaluation_do_not_mix_with_those_that_come(store, given):
    for name in ("run.parquet", "top.parquet"):
        left = store.artefacts / STAGE / name
        left.parent.mkdir(parents=True, exist_ok=True)
        left.write_bytes(b"half")
    exchange.unbundle(store, given)
    assert problems(store) == []


def test_whoever_clears_up_meanwhile_takes_nothing(store, given, monkeypatch):
    """A harness that starts or ends while the files are there and the rows are not."""
    whole = intake._Intake._store
    seen = []

    def cleared_first(self, mine, *rest):
        seen.extend(path.name for path in store.artefacts.rglob("*.parquet"))
        remove_leftovers(store)
        return whole(self, mine, *rest)

    monkeypatch.setattr(intake._Intake, "_store", cleared_first)
    exchange.unbundle(store, given)
    assert seen == ["run.parquet"]
    assert problems(store) == []


def test_a_lost_lease_stores_nothing(store, given, monkeypatch):
    """A process that slept past its lease, while another cleared up after it and does the work itself."""
    monkeypatch.setattr(intake, "PATIENCE_SECONDS", 0.3)
    whole = intake._Intake._store

    def taken_over(self, mine, *rest):
        for evaluation in mine:
            store.release(f"evaluation:{evaluation.id}", self._holder)
            store.acquire(f"evaluation:{evaluation.id}", "a worker", 60)
        return whole(self, mine, *rest)

    monkeypatch.setattr(intake._Intake, "_store", taken_over)
    taken = exchange.unbundle(store, given)
    assert (taken.added, len(taken.busy)) == (0, 3)
    assert store.evaluations() == []


def test_two_intakes_at_once_store_each_evaluation_once(tmp_path, large, look):
    home = tmp_path / "home"
    both = [start(home, "unbundle", large) for _ in range(2)]
    outs = [process.communicate(timeout=PATIENCE) for process in both]
    assert [process.returncode for process in both] == [0, 0], outs
    added = [int(out.split()[0]) for out, _ in outs]
    ids, wrong = look(home)
    assert sum(added) == len(ids) == MANY
    assert wrong == []


MANY = 160


@pytest.fixture
def large(tmp_path, sample, with_run):
    """A bundle of many evaluations, each with a run of its own."""
    there = open_store(str(tmp_path / "there.db"))
    for number in range(MANY):
        one = with_run(there, sample(id=f"{number:016x}", seed=number))
        path = there.artefact_path(one.artefacts[0])
        path.write_bytes(path.read_bytes() + number.to_bytes(4, "big") * 20_000)
        from harness.seal import digest_of

        artefact = replace(one.artefacts[0], sha256=digest_of(path), bytes=path.stat().st_size)
        there.put(replace(one, artefacts=(artefact,), first_stages=(f"{number - 1:016x}",) if number % 2 else ()))
    exchange.write_bundle(there, tmp_path / "large")
    return tmp_path / "large"


def environment(home):
    return os.environ | {"HARNESS_HOME": str(home), "OMP_NUM_THREADS": "1"}


def start(home, *words):
    command = [sys.executable, "-m", "harness.cli.main", "results", *map(str, words)]
    return subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def look(monkeypatch):
    """Ids of the evaluations that a home's store holds, and what is wrong with it."""

    def at(home):
        with monkeypatch.context() as patch:
            patch.setenv("HARNESS_HOME", str(home))
            store = open_store()
            return [one.id for one in store.evaluations(per_query=False)], problems(store)

    return at


def busy_since(home, seen):
    """Whether a process has begun to copy files: it has a work folder that was not there before."""
    return bool({path.name for path in (home / "work").glob("*")} - seen)


def wait_until_busy(process, home, seen):
    while not busy_since(home, seen) and process.poll() is None:
        time.sleep(0.002)


def test_sigkill_at_random_moments_leaves_a_sound_store_and_the_next_ends_it(tmp_path, large, look):
    """After each kill: whole evaluations with their files; what lies about is of none, and the next one clears it."""
    process = start(tmp_path / "whole", "unbundle", large)
    wait_until_busy(process, tmp_path / "whole", set())
    began = time.monotonic()
    assert f"{MANY} evaluations added" in process.communicate()[0]
    duration = time.monotonic() - began

    chance, killed, halves, life = random.Random(0), 0, 0, 0
    while killed < KILLS:
        home, over = tmp_path / f"life-{life}", False
        while killed < KILLS and not over:
            seen = {path.name for path in (home / "work").glob("*")}
            process = start(home, "unbundle", large)
            wait_until_busy(process, home, seen)
            time.sleep(chance.uniform(0.0, 0.5) * duration)
            over = process.poll() is not None
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += not over
            there, wrong = look(home)
            halves += 0 < len(there) < MANY
            assert [line for line in wrong if not is_leftover(line)] == []
        out, _ = start(home, "unbundle", large).communicate()
        assert f"{MANY - len(there)} evaluations added, {len(there)} known" in out
        ids, wrong = look(home)
        assert (len(ids), wrong) == (MANY, [])
        assert [path for path in (home / "work").glob("*/*")] == []
        life += 1
    assert halves, "no kill came in the middle"


def is_leftover(problem: str) -> bool:
    """What the next one clears: files without an evaluation, and leases of a process that is gone."""
    return problem.startswith("lease on evaluation:") or problem.endswith("belongs to no evaluation")

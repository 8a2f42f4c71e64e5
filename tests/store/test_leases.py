"""A resource has one holder at a time, and a holder that is gone holds nothing."""

import os
import signal
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness import devices
from harness.errors import StoreError
from harness.store import owner
from harness.store.models import LeaseRow
from harness.store.owner import this_process
from tests.conftest import wait_for


def rows(store) -> list[str]:
    with store.database.reading() as session:
        return [row.resource for row in session.query(LeaseRow)]


def set_expiry(store, resource: str, seconds: float) -> None:
    """As if the lease had been taken so that it runs out in this many seconds."""
    with store.database.writing() as session:
        session.get(LeaseRow, resource).expires = time.time() + seconds


def test_one_holder_at_a_time(store):
    assert store.acquire("device:a", "one", 60)
    assert not store.acquire("device:a", "two", 60)
    assert not store.acquire("device:a", "one", 60), "not even the same holder, twice"
    assert store.acquire("device:b", "two", 60)
    holder, expires = store.holder("device:a")
    assert holder == "one"
    assert 50 < (expires - datetime.now(UTC)).total_seconds() <= 61
    store.release("device:a", "two")
    assert store.holder("device:a") is not None
    store.release("device:a", "one")
    assert store.holder("device:a") is None
    assert store.acquire("device:a", "two", 60)


def test_lease_that_ran_out_is_taken_over_and_is_lost(store):
    store.acquire("r", "one", 60)
    set_expiry(store, "r", -1)
    assert store.holder("r") is None
    assert store.acquire("r", "two", 60)
    assert not store.heartbeat("r", "one", 60)
    store.release("r", "one")
    assert store.holder("r")[0] == "two"


def test_heartbeat_keeps_a_lease_and_revives_one_that_nobody_took(store):
    store.acquire("r", "one", 1)
    assert store.heartbeat("r", "one", 60)
    assert (store.holder("r")[1] - datetime.now(UTC)).total_seconds() > 30
    set_expiry(store, "r", -1)
    assert store.heartbeat("r", "one", 60)
    assert store.holder("r")[0] == "one"
    assert not store.heartbeat("other", "one", 60)


def test_same_words_from_another_process_are_another_holder(store, others):
    (process,) = others.start(("hold", "r"))
    assert others.go([process]) == [True]
    assert not store.heartbeat("r", "the other", 60)
    store.release("r", "the other")
    assert store.holder("r")[0] == "the other"


def test_killed_holder_is_taken_over_at_once(store, others):
    (process,) = others.start(("hold", "r"))
    assert others.go([process]) == [True]
    assert not store.acquire("r", "me", 60)
    process.kill()
    while process.poll() is None:  # a zombie until it is waited for; either way it is gone
        if store.holder("r") is None:
            break
    assert store.acquire("r", "me", 60)
    assert store.holder("r")[0] == "me"


def test_zombie_holds_nothing(store, others):
    (process,) = others.start(("hold", "r"))
    assert others.go([process]) == [True]
    os.kill(process.pid, signal.SIGKILL)  # not process.kill(), which would wait for it
    wait_for(lambda: store.holder("r") is None)  # nobody has waited for the process: it still has its id
    assert process.returncode is None


@pytest.mark.parametrize("change", [{"host": "elsewhere"}, {}])
def test_only_a_process_known_to_be_gone_is_taken_over(store, monkeypatch, change):
    """Another machine's process may live though no such process is here; here, its id alone proves nothing."""
    lost = replace(this_process(), started="before the last start", **change)
    with monkeypatch.context() as patch:
        patch.setattr("harness.store.store.this_process", lambda: lost)
        assert store.acquire("r", "one", 60)
    assert store.acquire("r", "two", 60) is (not change)


def test_process_that_may_not_be_seen_is_not_gone(monkeypatch):
    """/proc mounted with hidepid hides other users' processes; signalling them is refused, so they live."""

    def refuse(pid: int, sent: int) -> None:
        raise PermissionError

    unseen = owner.Owner(host=this_process().host, pid=2**22 + 1, started="1")
    assert unseen.gone
    monkeypatch.setattr("os.kill", refuse)
    assert not unseen.gone


def test_stale_leases_are_dropped_and_living_ones_stay(store):
    for resource in ("alive", "old"):
        store.acquire(resource, "one", 60)
    set_expiry(store, "old", -1)
    assert store.drop_stale_leases() == ["old"]
    assert rows(store) == ["alive"]


def test_two_processes_race_a_hundred_times(store, others):
    rounds = 100
    got = others.go(others.start(("race", "one", rounds), ("race", "two", rounds)))
    assert sorted(got[0] + got[1]) == list(range(rounds)), "each round has exactly one winner"


def test_lease_is_held_in_the_block_and_given_back(store):
    with devices.lease(store, "r", "one") as mine:
        assert mine
        assert store.holder("r")[0] == "one"
        with devices.lease(store, "r", "two", wait=0) as theirs:
            assert not theirs
            assert not theirs.lost
        assert store.holder("r")[0] == "one"
    assert rows(store) == []


def test_lease_is_given_back_when_the_block_raises(store):
    with pytest.raises(ZeroDivisionError), devices.lease(store, "r", "one"):
        raise ZeroDivisionError
    assert rows(store) == []


def test_lease_outlives_its_seconds_by_heartbeat(store):
    with devices.lease(store, "r", "one", seconds=1.5) as mine:
        time.sleep(2)
        assert mine
        assert not store.acquire("r", "two", 60)


def test_lost_lease_says_so_and_leaves_the_new_holder_alone(store):
    with devices.lease(store, "r", "one", seconds=0.4) as mine:
        while not store.acquire("r", "two", 60):  # a heartbeat may come between
            set_expiry(store, "r", -1)
        wait_for(lambda: mine.lost)
        assert not mine
    assert store.holder("r")[0] == "two"


def test_store_out_of_reach_loses_the_lease_when_it_has_run_out(store, monkeypatch, caplog):
    with devices.lease(store, "r", "one", seconds=0.4) as mine:

        def fail(*_: object) -> bool:
            raise StoreError("out of reach")

        monkeypatch.setattr(store, "heartbeat", fail)
        assert mine
        wait_for(lambda: mine.lost)
    assert "out of reach" in caplog.text


def test_waiting_ends_when_the_resource_is_free_or_time_is_up(store):
    store.acquire("r", "one", 60)
    start = time.monotonic()
    with devices.lease(store, "r", "two", wait=0.3) as mine:
        assert not mine
    assert 0.3 <= time.monotonic() - start < 5
    threading.Timer(0.3, store.release, ["r", "one"]).start()
    with devices.lease(store, "r", "two") as mine:
        assert mine

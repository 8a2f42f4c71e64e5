"""Who waits for a database that is gone, and what becomes of a result whose lease was lost meanwhile."""

import sqlite3
from contextlib import closing

import pytest

from harness.errors import StoreError, StoreUnreachable
from harness.store import database, open_store, patience
from harness.store.leases import evaluation_resource


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """A store that stays locked by another process, and the lock."""
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.05)
    monkeypatch.setattr(patience, "FIRST_WAIT", 0.01)
    file = tmp_path / "a.db"
    open_store(str(file)).database.engine.dispose()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield file, other


def test_without_patience_it_is_an_error_at_once(locked, sample):
    with pytest.raises(StoreUnreachable, match="locked"):
        open_store(str(locked[0])).put(sample())


def test_with_patience_it_is_done_once_the_database_is_back(locked, sample, monkeypatch):
    file, other = locked
    store = open_store(str(file), patience=60.0)
    monkeypatch.setattr(patience.time, "sleep", lambda _: other.in_transaction and other.execute("ROLLBACK"))
    assert store.put(sample())
    assert store.state(sample().id) == "done"


def test_patience_ends(locked, sample):
    store = open_store(str(locked[0]), patience=0.1)
    with pytest.raises(StoreUnreachable):
        store.put(sample())


def test_what_will_not_pass_is_not_waited_for():
    def ask():
        asked.append(1)
        raise StoreError("no such table")

    asked: list[int] = []
    with pytest.raises(StoreError, match="no such table"):
        patience.patiently(ask, 60.0)
    assert len(asked) == 1


def test_a_server_that_is_not_there_is_out_of_reach():
    pytest.importorskip("psycopg")
    with pytest.raises(StoreUnreachable):
        open_store("postgresql://harness@127.0.0.1:9/none")


def test_a_result_is_stored_only_while_nobody_else_has_taken_its_work(store, sample):
    lease = evaluation_resource(sample().id)
    assert not store.put(sample(), holder="me")
    assert store.state(sample().id) is None
    assert store.acquire(lease, "others", 60)
    assert not store.put(sample(), holder="me")
    store.release(lease, "others")
    assert store.acquire(lease, "me", -1), "a lease that has run out and that nobody took"
    assert store.put(sample(), holder="me")
    assert store.state(sample().id) == "done"

"""A new SQLite store is opened while another process has it open, before either has made it what it will be."""

import sqlite3
import threading
import time

import pytest

from harness.errors import StoreError
from harness.store import database, open_store


@pytest.fixture
def other(tmp_path):
    """Another process's connection to the new file, which is writing."""
    connection = sqlite3.connect(tmp_path / "new.db", isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE theirs (id)")
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def test_it_waits_until_the_other_is_done(other, tmp_path):
    done = threading.Timer(0.5, other.execute, ["COMMIT"])
    done.start()
    start = time.monotonic()
    assert open_store(str(tmp_path / "new.db")).evaluations() == []
    assert time.monotonic() - start > 0.4
    done.join()


def test_it_does_not_wait_for_ever(other, tmp_path, monkeypatch):
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.2)
    with pytest.raises(StoreError, match="locked"):
        open_store(str(tmp_path / "new.db"))

"""`harness store check` finds each kind of damage, and nothing in a sound store."""

import sqlite3
import time
from contextlib import closing

import pytest

from harness.store import open_store
from harness.store.inspection import problems
from harness.store.models import LeaseRow, MeasureRow


@pytest.fixture
def sound(store, sample, with_run):
    store.put(with_run(store, sample()))
    store.put(sample(id="e" * 16, first_stages=(sample().id,)))
    store.put(sample(id="f" * 16, failed=True, first_stages=("never stored",)))
    store.acquire("device:cpu", "me", 60)
    assert problems(store) == []
    return store


def run_file(store):
    (evaluation,) = [e for e in store.evaluations() if e.artefacts]
    return store.artefact_path(evaluation.artefacts[0])


def only(store) -> str:
    (problem,) = problems(store)
    return problem


def execute(store, statement: str) -> None:
    with store.database.writing() as session:
        session.connection().exec_driver_sql(statement)


def test_changed_missing_and_foreign_files(sound):
    path = run_file(sound)
    content = path.read_bytes()
    path.write_bytes(content + b"x")
    assert "changed" in only(sound)
    path.write_bytes(content)
    other = path.with_name("other")
    other.write_bytes(b"")
    assert "other belongs to no evaluation" in only(sound)
    other.unlink()
    path.unlink()
    assert "run.parquet" in only(sound)


def test_a_value_that_was_changed_in_the_database(sound, sample):
    row = f"WHERE evaluation_id = '{sample().id}' AND name = 'nDCG@10'"
    execute(sound, f"UPDATE measures SET mean = 0.31 {row}")
    assert "nDCG@10 is not the mean" in only(sound)
    execute(sound, f"UPDATE measures SET mean = 0.3, per_query = '[0.1, 0.3, 0.4]' {row}")
    assert "nDCG@10 is not the mean" in only(sound)


def test_two_stores_of_one_home_do_not_see_each_others_files(sound, sample, with_run):
    other = open_store()
    other.put(with_run(other, sample()))
    assert problems(other) == problems(sound) == []
    other.remove(sample().id)
    assert problems(sound) == []


def test_rows_without_owner(sound):
    execute(sound, "INSERT INTO environments (digest, facts) VALUES ('lonely', '{}')")
    assert only(sound) == "row lonely of environments belongs to no evaluation"


def test_values_that_do_not_fit(sound):
    with sound.database.writing() as session:
        session.get(MeasureRow, ("e" * 16, "AP")).per_query = [0.5]
    assert "1 values for 3 queries" in only(sound)


def test_lease_left_behind(sound):
    with sound.database.writing() as session:
        session.get(LeaseRow, "device:cpu").expires = time.time() - 1
    assert "device:cpu" in only(sound)
    assert sound.drop_stale_leases() == ["device:cpu"]
    assert problems(sound) == []


def test_first_stage_that_is_gone(sound, sample):
    execute(sound, f"DELETE FROM evaluations WHERE id = '{sample().id}'")
    found = problems(sound)
    assert f"first stage {sample().id} is not stored" in found
    assert [line for line in found if "run.parquet" in line], "its file has lost its owner"


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_rows_that_sqlite_let_through(sound, url):
    """Another program may write to the file without enforcing foreign keys."""
    with closing(sqlite3.connect(url)) as other, other:
        other.execute(
            "INSERT INTO measures (evaluation_id, name, position, mean, per_query) VALUES ('gone', 'AP', 0, 0.5, '[]')"
        )
    found = problems(sound)
    assert any("belongs to nothing" in line for line in found)
    assert "AP in measures belongs to no evaluation: gone" in found


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_damaged_pages(sound, url):
    with closing(sqlite3.connect(url)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = other.execute("PRAGMA page_size").fetchone()
        (page,) = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_tasks_name'").fetchone()
    with open(url, "r+b") as file:
        file.seek((page - 1) * size + 3)
        file.write(b"\0\0")  # the index's page now says that it holds no entries
    assert any(line.startswith("database: ") for line in problems(sound))

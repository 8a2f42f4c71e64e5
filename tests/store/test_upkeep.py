"""`harness store backup` and `vacuum`, on both databases."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.store import store as commands
from harness.errors import MissingExtra, StoreError
from harness.store import open_store, upkeep
from tests.conftest import SERVERS


@pytest.fixture(autouse=True)
def clients(monkeypatch):
    """PostgreSQL's programs, wherever they are installed."""
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, SERVERS), os.environ["PATH"]]))


def fill(store, sample, number=30):
    evaluations = [sample(id=f"{n:016x}", seed=n) for n in range(number)]
    for evaluation in evaluations:
        store.put(evaluation)
    return evaluations


def invoke(*words):
    result = CliRunner().invoke(commands, list(map(str, words)))
    assert result.exit_code == 0, result
    return result.output


def restored(url: str, store, file: Path) -> str:
    """URL of what the backup holds, once it took the store's place."""
    if store.database.sqlite:
        return str(file)
    with store.database.alone() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    words = ["pg_restore", "--dbname", url, "--no-owner", "--schema=public", str(file)]
    subprocess.run(words, check=True, capture_output=True)
    return url


def test_backup_is_all_there_is(store, url, sample, tmp_path):
    evaluations = fill(store, sample)
    said = invoke("backup", tmp_path / "copy", "--store", url)
    assert str(store.artefacts) in said
    assert "secret" not in said
    store.remove(evaluations[0].id)
    found = open_store(restored(url, store, tmp_path / "copy"))
    assert found.evaluations() == evaluations
    assert [path.name for path in tmp_path.glob("*copy*")] == ["copy"]


def test_backup_overwrites_nothing_and_leaves_nothing_behind_when_it_fails(store, sample, tmp_path, monkeypatch):
    fill(store, sample, 1)
    file = tmp_path / "copy"
    file.write_text("mine")
    with pytest.raises(StoreError, match="overwrites nothing"):
        upkeep.backup(store.database, file)
    assert file.read_text() == "mine"
    with pytest.raises(StoreError, match=r"could not be written|No such file|unable to open"):
        upkeep.backup(store.database, tmp_path / "nowhere" / "copy")
    monkeypatch.setenv("PATH", "")
    if not store.database.sqlite:
        with pytest.raises(MissingExtra, match="pg_dump"):
            upkeep.backup(store.database, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_backup_while_others_write_has_whole_evaluations(store, url, sample, others, tmp_path):
    store.put(sample(id="f" * 16, seed=99))
    given = [[[sample(id=f"{writer:08x}{n:08x}", seed=n) for n in range(20)]] for writer in range(4)]
    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(others.go, others.start(*[("put",)] * 4, given=given))
        while not store.state(given[0][0][3].id):  # they are at it
            time.sleep(0.01)
        upkeep.backup(store.database, tmp_path / "copy")
        assert writing.result() == ["stored"] * 4
    assert len(store.evaluations()) == 81
    found = open_store(restored(url, store, tmp_path / "copy")).evaluations()
    assert 5 <= len(found) <= 81
    assert all(set(evaluation.per_query) == set(evaluation.measures) for evaluation in found)


def test_vacuum_gives_room_back_and_keeps_what_is_there(store, url, sample):
    many = {f"m{number}": (0.1, 0.2, 0.3) for number in range(200)}
    means = dict.fromkeys(many, 0.2)
    evaluations = [sample(id=f"{n:016x}", seed=n, per_query=many, measures=means) for n in range(40)]
    for evaluation in evaluations:
        store.put(evaluation)
    (store.artefacts / "lost").mkdir(parents=True)
    store.remove(*(evaluation.id for evaluation in evaluations[1:]))
    before = upkeep.size(store.database)
    assert "bytes before" in invoke("vacuum", "--store", url)
    if store.database.sqlite:  # PostgreSQL keeps the room for rows to come
        assert upkeep.size(store.database) < before / 2
    assert store.evaluations() == evaluations[:1]
    assert not (store.artefacts / "lost").exists()

"""`harness store`, and the choice of a store by option and environment."""

import json

import pytest
from click.testing import CliRunner

from harness.cli.results import results
from harness.cli.store import store as commands
from harness.store import open_store


def test_upgrade_says_what_it_did(tmp_path):
    words = ["upgrade", "--store", str(tmp_path / "a.db")]
    assert "none → 0002" in CliRunner().invoke(commands, words).output
    assert "has the newest schema" in CliRunner().invoke(commands, words).output


def test_check_tells_by_exit_status(sample):
    store = open_store()
    store.put(sample())
    result = CliRunner().invoke(commands, ["check"])
    assert (result.exit_code, "sound" in result.output) == (0, True)
    (store.artefacts / "lost").mkdir(parents=True)
    (store.artefacts / "lost" / "file").touch()
    result = CliRunner().invoke(commands, ["check", "--format", "json"])
    assert (result.exit_code, len(json.loads(result.output))) == (1, 1)


@pytest.mark.parametrize("by", ["option", "environment"])
def test_store_is_chosen(by, sample, tmp_path, monkeypatch):
    path = str(tmp_path / "other.db")
    open_store(path).put(sample())
    words = ["list", "--format", "json"]
    assert json.loads(CliRunner().invoke(results, words).output) == []
    if by == "option":
        words += ["--store", path]
    else:
        monkeypatch.setenv("HARNESS_STORE", path)
    (row,) = json.loads(CliRunner().invoke(results, words).output)
    assert row["id"] == sample().id


def test_path_of_a_store_does_not_depend_on_the_folder_one_is_in(sample, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.db", "sqlite:///a.db", str(tmp_path / "a.db")):
        assert open_store(name).database.address == str(tmp_path / "a.db")

"""Artefacts in a folder or at an address that several homes share: what one machine left, another starts from."""

import json
import os
import shutil

import pytest

from harness.store import open_store
from harness.store.inspection import problems

BASE = ["run", "--plugin", "toy", "--task", "small"]
OVER = ["run", "--plugin", "toy-over", "--task", "small"]


@pytest.fixture(params=["folder", "address"])
def shared(request, lab, tmp_path, monkeypatch):
    """The folder where artefacts lie, by its path or as an address of fsspec."""
    folder = tmp_path / "shared"
    monkeypatch.setenv("HARNESS_ARTEFACTS", str(folder) if request.param == "folder" else f"file://{folder}")
    monkeypatch.setenv("HARNESS_STORE", lab.url if lab.server else str(tmp_path / "store.db"))
    return folder


@pytest.fixture
def other(lab, tmp_path):
    """Another machine: a home of its own, the same data."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "data").symlink_to(lab.folder / "data")
    return type(lab)(tmp_path / "other")


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_another_machine_starts_from_what_one_left(lab, other, shared):
    lab.harness(*BASE)
    assert names(shared) == ["run.parquet", "top.parquet"]
    assert "1 done, 1 done before" in other.harness(*OVER)
    rows = {row["method"]: row for row in lab.results()}
    assert rows["toy-over"]["measures"] != rows["toy"]["measures"]
    shutil.rmtree(lab.folder / "home")  # this machine is gone; the store and the files are not
    assert "equal" in other.harness("reproduce", rows["toy-over"]["id"])
    scored = json.loads(lab.harness("score", "--evaluation", rows["toy"]["id"], "--measure", "P@4", "--format", "json"))
    assert scored["measures"]["P@4"] == 0.25
    assert "0 problems" in lab.harness("store", "check") or "sound" in lab.harness("store", "check")
    lab.harness("results", "remove", rows["toy-over"]["id"], rows["toy"]["id"], "--yes")
    assert names(shared) == []


def test_what_was_changed_there_is_never_used(lab, other, shared):
    lab.harness(*BASE)
    (run,) = shared.rglob("run.parquet")
    run.write_bytes(run.read_bytes()[:-1] + b"x")
    said = other.harness(*OVER, status=1)
    assert "was changed" in said


def test_a_bundle_has_the_files_and_leftovers_go(lab, other, shared, tmp_path):
    lab.harness(*BASE)
    assert "2 files" in other.harness("results", "bundle", str(tmp_path / "all.bundle"))
    (folder,) = [path.parent for path in shared.rglob("run.parquet")]
    lost = folder.parent / "0123456789abcdef"
    lost.mkdir()
    (lost / "run.parquet").write_text("left by who was killed")
    store = open_store(os.environ["HARNESS_STORE"])
    assert [line for line in problems(store) if "belongs to no evaluation" in line]
    other.harness("store", "vacuum")
    assert names(shared) == ["run.parquet", "top.parquet"]


def test_an_address_that_nobody_serves_is_told_before_a_number_is_lost(lab, monkeypatch):
    monkeypatch.setenv("HARNESS_ARTEFACTS", "nothing://user:secret@host/path")
    said = lab.harness(*BASE, status=2)
    assert "nothing://host/path" in said
    assert "secret" not in said

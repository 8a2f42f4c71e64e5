import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness_leaderboard import site
from harness_leaderboard.site import MARKER, write

from harness.errors import ConfigError

OLD = {"index.html": b"old", "methods/gone.html": b"old"}
NEW = {"index.html": b"new", "tasks/one.html": b"new"}


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MARKER)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sites" / "board"


def test_a_new_site_replaces_the_old_with_its_stale_pages(folder: Path):
    write(OLD, folder)
    write(NEW, folder)
    assert content(folder) == NEW
    assert [path.name for path in folder.parent.iterdir()] == ["board"]


def test_an_empty_folder_is_taken(folder: Path):
    folder.mkdir(parents=True)
    write(NEW, folder)
    assert content(folder) == NEW


def test_a_folder_of_something_else_is_refused_and_left(folder: Path):
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="thesis"):
        write(NEW, folder)
    assert content(folder) == {"thesis.tex": b"years of work"}


@pytest.mark.parametrize("marker", ["", "[", "7", "{}", "[[]]"])
def test_a_damaged_marker_is_no_permission(folder: Path, marker: str):
    write(OLD, folder)
    (folder / MARKER).write_text(marker)
    with pytest.raises(ConfigError):
        write(NEW, folder)


def test_files_that_someone_added_to_a_site_are_not_lost(folder: Path):
    write(OLD, folder)
    (folder / "CNAME").write_text("board.example.org")
    with pytest.raises(ConfigError, match="CNAME"):
        write(NEW, folder)
    assert content(folder)["CNAME"] == b"board.example.org"


def test_a_file_in_its_place_is_refused(folder: Path):
    folder.parent.mkdir(parents=True)
    folder.write_text("a file")
    with pytest.raises(ConfigError, match="found a file"):
        write(NEW, folder)


def test_the_folder_one_is_in_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch):
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigError, match="the one you are in"):
        write(NEW, Path())


def test_a_link_to_a_folder_is_followed(folder: Path):
    write(OLD, folder)
    link = folder.with_name("public")
    link.symlink_to(folder)
    write(NEW, link)
    assert content(folder) == NEW
    assert link.is_symlink()


@pytest.mark.parametrize("fails", [1, 2])
def test_a_rename_that_fails_leaves_the_old_site(folder: Path, monkeypatch: pytest.MonkeyPatch, fails: int):
    write(OLD, folder)
    calls: list[int] = []
    rename = os.rename

    def failing(source: Path, target: Path) -> None:
        calls.append(1)
        if len(calls) == fails:
            raise OSError("disk full")
        rename(source, target)

    monkeypatch.setattr(site.os, "rename", failing)
    with pytest.raises(OSError, match="disk full"):
        write(NEW, folder)
    assert content(folder) == OLD
    assert [path.name for path in folder.parent.iterdir()] == ["board"]


KILLED = """
import os, sys
from pathlib import Path
from harness_leaderboard import site
rename, calls = os.rename, []
def dying(source, target):
    calls.append(1)
    if len(calls) == int(sys.argv[2]):
        os._exit(9)
    rename(source, target)
site.os.rename = dying
site.write({"index.html": b"killed"}, Path(sys.argv[1]))
"""


@pytest.mark.parametrize("at", [1, 2])
def test_a_killed_build_is_cleared_up_by_the_next(folder: Path, at: int):
    write(OLD, folder)
    assert subprocess.run([sys.executable, "-c", KILLED, str(folder), str(at)], check=False).returncode == 9
    left = {path.name for path in folder.parent.iterdir()} - {"board"}
    assert left, "the process died where leftovers lie"
    folder_before = content(folder) if folder.exists() else {}
    assert folder_before in (OLD, {})  # killed between the two renames, the old site waits beside
    write(NEW, folder)
    assert content(folder) == NEW
    assert [path.name for path in folder.parent.iterdir()] == ["board"]


def test_an_old_site_left_beside_is_put_back_before_anything_else(folder: Path):
    write(OLD, folder)
    (folder / "CNAME").write_text("mine")
    shutil.move(folder, folder.with_name(f".{folder.name}.old-999999999"))
    with pytest.raises(ConfigError, match="CNAME"):
        write(NEW, folder)
    assert content(folder)["CNAME"] == b"mine"


def test_a_build_that_runs_beside_is_not_disturbed(folder: Path):
    folder.parent.mkdir(parents=True)
    other = folder.with_name(f".{folder.name}.new-{os.getppid()}")
    other.mkdir()
    write(NEW, folder)
    assert other.is_dir()

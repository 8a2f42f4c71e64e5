import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
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
    write(OLD.items(), folder)
    write(NEW.items(), folder)
    assert content(folder) == NEW
    assert [path.name for path in folder.parent.iterdir()] == ["board"]


def states(folder: Path) -> dict[str, tuple[int, int]]:
    """Which file it is and when it was written, of each."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARKER
    }


CHANGED = {"index.html": b"another", "methods/gone.html": b"old", "methods/new.html": b"new"}


def test_what_has_not_changed_stays_the_same_file(folder: Path):
    write(OLD.items(), folder)
    before = states(folder)
    assert write(CHANGED.items(), folder) == (3, 1)
    after = states(folder)
    assert content(folder) == CHANGED
    assert after["methods/gone.html"] == before["methods/gone.html"]
    assert after["index.html"] != before["index.html"]
    assert [path.name for path in folder.parent.iterdir()] == ["board"]
    assert {path.stat().st_nlink for path in folder.rglob("*.html")} == {1}


@pytest.mark.parametrize("text", [b"OLD", b"older"])
def test_what_somebody_changed_is_written_again(folder: Path, text: bytes):
    write(OLD.items(), folder)
    time.sleep(0.02)  # file systems tell times apart by a few milliseconds
    (folder / "methods/gone.html").write_bytes(text)
    assert write(OLD.items(), folder) == (2, 1)
    assert content(folder) == OLD


def test_what_was_removed_or_became_a_link_is_written_again(folder: Path, tmp_path: Path):
    other = tmp_path / "other.html"
    other.write_bytes(b"old")
    write(OLD.items(), folder)
    (folder / "index.html").unlink()
    (folder / "methods/gone.html").unlink()
    (folder / "methods/gone.html").symlink_to(other)
    assert write(OLD.items(), folder) == (2, 0)
    assert content(folder) == OLD
    assert not (folder / "methods/gone.html").is_symlink()


def test_without_hard_links_files_are_copied_with_their_times(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(source: Path, target: Path) -> None:
        raise OSError("operation not supported")

    write(OLD.items(), folder)
    before = states(folder)["methods/gone.html"]
    monkeypatch.setattr(site.os, "link", refused)
    assert write(CHANGED.items(), folder) == (3, 1)
    after = states(folder)["methods/gone.html"]
    assert content(folder) == CHANGED
    assert (after[0] != before[0], after[1]) == (True, before[1])


def test_a_build_that_fails_half_way_leaves_the_old_files_as_they_were(folder: Path):
    def broken() -> Iterator[tuple[str, bytes]]:
        yield from OLD.items()
        raise RuntimeError("lost")

    write(OLD.items(), folder)
    before = states(folder)
    with pytest.raises(RuntimeError):
        write(broken(), folder)
    assert (content(folder), states(folder)) == (OLD, before)
    assert [path.name for path in folder.parent.iterdir()] == ["board"]


def test_a_site_of_an_older_build_is_replaced_whole(folder: Path):
    write(OLD.items(), folder)
    (folder / MARKER).write_text(json.dumps(sorted(OLD)))  # before digests were kept
    assert write(OLD.items(), folder) == (2, 0)
    assert write(OLD.items(), folder) == (2, 2)


def test_a_site_of_a_newer_harness_is_refused(folder: Path):
    write(OLD.items(), folder)
    (folder / MARKER).write_text(json.dumps({"format": 3, "files": {}}))
    with pytest.raises(ConfigError, match="newer harness"):
        write(NEW.items(), folder)
    assert content(folder) == OLD


def test_an_empty_folder_is_taken(folder: Path):
    folder.mkdir(parents=True)
    write(NEW.items(), folder)
    assert content(folder) == NEW


def test_a_folder_of_something_else_is_refused_and_left(folder: Path):
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="thesis"):
        write(NEW.items(), folder)
    assert content(folder) == {"thesis.tex": b"years of work"}


@pytest.mark.parametrize("marker", ["", "[", "7", "{}", "[[]]", '{"format": 2}', '{"format": 2, "files": 1}'])
def test_a_damaged_marker_is_no_permission(folder: Path, marker: str):
    write(OLD.items(), folder)
    (folder / MARKER).write_text(marker)
    with pytest.raises(ConfigError):
        write(NEW.items(), folder)


def test_files_that_someone_added_to_a_site_are_not_lost(folder: Path):
    write(OLD.items(), folder)
    (folder / "CNAME").write_text("board.example.org")
    with pytest.raises(ConfigError, match="CNAME"):
        write(NEW.items(), folder)
    assert content(folder)["CNAME"] == b"board.example.org"


def test_a_file_in_its_place_is_refused(folder: Path):
    folder.parent.mkdir(parents=True)
    folder.write_text("a file")
    with pytest.raises(ConfigError, match="found a file"):
        write(NEW.items(), folder)


def test_the_folder_one_is_in_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch):
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigError, match="the one you are in"):
        write(NEW.items(), Path())


def test_a_link_to_a_folder_is_followed(folder: Path):
    write(OLD.items(), folder)
    link = folder.with_name("public")
    link.symlink_to(folder)
    write(NEW.items(), link)
    assert content(folder) == NEW
    assert link.is_symlink()


@pytest.mark.parametrize("fails", [1, 2])
def test_a_rename_that_fails_leaves_the_old_site(folder: Path, monkeypatch: pytest.MonkeyPatch, fails: int):
    write(OLD.items(), folder)
    calls: list[int] = []
    rename = os.rename

    def failing(source: Path, target: Path) -> None:
        calls.append(1)
        if len(calls) == fails:
            raise OSError("disk full")
        rename(source, target)

    monkeypatch.setattr(site.os, "rename", failing)
    with pytest.raises(OSError, match="disk full"):
        write(NEW.items(), folder)
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
site.write({"index.html": b"killed"}.items(), Path(sys.argv[1]))
"""


@pytest.mark.parametrize("at", [1, 2])
def test_a_killed_build_is_cleared_up_by_the_next(folder: Path, at: int):
    write(OLD.items(), folder)
    assert subprocess.run([sys.executable, "-c", KILLED, str(folder), str(at)], check=False).returncode == 9
    left = {path.name for path in folder.parent.iterdir()} - {"board"}
    assert left, "the process died where leftovers lie"
    folder_before = content(folder) if folder.exists() else {}
    assert folder_before in (OLD, {})  # killed between the two renames, the old site waits beside
    write(NEW.items(), folder)
    assert content(folder) == NEW
    assert [path.name for path in folder.parent.iterdir()] == ["board"]


def test_an_old_site_left_beside_is_put_back_before_anything_else(folder: Path):
    write(OLD.items(), folder)
    (folder / "CNAME").write_text("mine")
    shutil.move(folder, folder.with_name(f".{folder.name}.old-999999999"))
    with pytest.raises(ConfigError, match="CNAME"):
        write(NEW.items(), folder)
    assert content(folder)["CNAME"] == b"mine"


def test_a_build_that_runs_beside_is_not_disturbed(folder: Path):
    folder.parent.mkdir(parents=True)
    other = folder.with_name(f".{folder.name}.new-{os.getppid()}")
    other.mkdir()
    write(NEW.items(), folder)
    assert other.is_dir()

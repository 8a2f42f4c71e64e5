"""Files → a folder, all or nothing: a build that fails or is killed leaves the old site.

A file whose content is that of the old site's is taken over from there, as the same file with its time, so that what
copies a site elsewhere sees what has changed.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterable
from glob import escape
from pathlib import Path
from typing import NamedTuple

import psutil

from harness.errors import ConfigError
from harness_leaderboard import marker
from harness_leaderboard.ahead import ahead
from harness_leaderboard.marker import MARKER, Made


class Written(NamedTuple):
    """What a build did."""

    files: int
    """How many the site has."""
    kept: int
    """How many of them are those of the site before."""


def write(files: Iterable[tuple[str, bytes]], folder: Path) -> Written:
    """Make `folder` hold exactly these files.

    They are written to a folder beside it, which then takes its place.

    Args:
        files: relative path and content of each; taken one at a time.
        folder: where; it may be missing, empty, or an earlier site.

    Raises:
        ConfigError: the folder holds anything that no build of ours made, or is where the command was started.
    """
    folder = folder.resolve()
    _clear_leftovers(folder)
    made = _check(folder)
    new, old = (_beside(folder, what, os.getpid()) for what in ("new", "old"))
    try:
        written = _fill(new, files, made)
        if folder.exists():
            os.rename(folder, old)
        os.rename(new, folder)
        return written
    finally:
        _clear(folder, new, old)


def _beside(folder: Path, what: str, process: int) -> Path:
    return folder.with_name(f".{folder.name}.{what}-{process}")


def _fill(new: Path, files: Iterable[tuple[str, bytes]], made: Made) -> Written:
    """Write the files, each while the next one is made."""
    new.mkdir(parents=True)
    digests: dict[str, str] = {}
    kept = 0
    for path, digest, same in ahead(_Writer(new, made), files, threads=1):
        digests[path] = digest
        kept += same
    marker.write(new, digests)
    return Written(files=len(digests), kept=kept)


class _Writer:
    """Writes into a new folder, or takes over what an earlier build left."""

    def __init__(self, new: Path, made: Made) -> None:
        self._new, self._made = new, made
        self._folders = {""}

    def __call__(self, file: tuple[str, bytes]) -> tuple[str, str, bool]:
        """Path, digest, and whether it is as it was."""
        path, content = file
        target = f"{self._new}/{path}"
        if (folder := path.rpartition("/")[0]) not in self._folders:
            os.makedirs(self._new / folder, exist_ok=True)
            self._folders.add(folder)
        digest = hashlib.sha256(content).hexdigest()[:32]
        if (old := self._made.same(path, digest)) is not None:
            _take_over(old, target)
            return path, digest, True
        with open(target, "wb") as out:
            out.write(content)
        return path, digest, False


def _take_over(old: str, new: str) -> None:
    """The same file under a second name; where the file system has no such thing, a copy with the same time."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copy2(old, new)


def _clear(folder: Path, new: Path, old: Path) -> None:
    """Remove what is in the way; if the new site did not get to its place, the old one goes back."""
    if old.exists() and not folder.exists():
        os.rename(old, folder)
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)


def _clear_leftovers(folder: Path) -> None:
    """Undo what builds that were killed left beside the folder."""
    pattern = re.compile(rf"\.{re.escape(folder.name)}\.(?:new|old)-(\d+)")
    found = (pattern.fullmatch(path.name) for path in folder.parent.glob(f".{escape(folder.name)}.*"))
    for process in {int(match[1]) for match in found if match}:
        if not _busy(process):
            _clear(folder, *(_beside(folder, what, process) for what in ("new", "old")))


def _busy(process: int) -> bool:
    """Whether another process of this number lives; we have not begun."""
    return process != os.getpid() and psutil.pid_exists(process)


def _check(folder: Path) -> Made:
    """What the folder holds, all of it ours."""
    if Path.cwd().is_relative_to(folder):
        raise ConfigError(f"{folder}: expected a folder of the site's own, got the one you are in or one above it")
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: expected a folder for the site, found a file; name another")
    made = marker.read(folder)
    if foreign := min(_foreign(made), default=None):
        raise ConfigError(
            f"{folder}: expected a new or empty folder, or a site that `harness leaderboard build` made, found "
            f"{foreign} in it; name another folder or move that away"
        )
    return made


def _foreign(made: Made) -> Iterable[str]:
    """Files that no build of ours made."""
    ours = {*made.digests, MARKER} if made.digests else set[str]()
    for place, folders, files in os.walk(made.folder):
        links = (name for name in folders if os.path.islink(os.path.join(place, name)))
        for name in (*files, *links):
            path = Path(place, name).relative_to(made.folder).as_posix()
            if path not in ours:
                yield path

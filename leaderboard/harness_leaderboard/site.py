"""Files → a folder, all or nothing: a build that fails or is killed leaves the old site."""

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from glob import escape
from pathlib import Path

import psutil

from harness.errors import ConfigError

MARKER = ".harness-leaderboard.json"
"""Names every file of the site, so that a later build knows what it may replace."""


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Make `folder` hold exactly these files.

    They are written to a folder beside it, which then takes its place.

    Args:
        files: content by relative path.
        folder: where; it may be missing, empty, or an earlier site.

    Raises:
        ConfigError: the folder holds anything that no build of ours made, or is where the command was started.
    """
    folder = folder.resolve()
    _clear_leftovers(folder)
    _check(folder)
    new, old = (_beside(folder, what, os.getpid()) for what in ("new", "old"))
    try:
        _fill(new, files)
        if folder.exists():
            os.rename(folder, old)
        os.rename(new, folder)
    finally:
        _clear(folder, new, old)


def _beside(folder: Path, what: str, process: int) -> Path:
    return folder.with_name(f".{folder.name}.{what}-{process}")


def _fill(new: Path, files: Mapping[str, bytes]) -> None:
    new.mkdir(parents=True)
    for path, content in files.items():
        file = new / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (new / MARKER).write_text(json.dumps(sorted(files), indent=1) + "\n")


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


def _check(folder: Path) -> None:
    if Path.cwd().is_relative_to(folder):
        raise ConfigError(f"{folder}: expected a folder of the site's own, got the one you are in or one above it")
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: expected a folder for the site, found a file; name another")
    if foreign := sorted(_foreign(folder)):
        raise ConfigError(
            f"{folder}: expected a new or empty folder, or a site that `harness leaderboard build` made, found "
            f"{foreign[0]} in it; name another folder or move that away"
        )


def _foreign(folder: Path) -> Iterable[str]:
    """Files that no build of ours made."""
    try:
        ours = {*json.loads((folder / MARKER).read_text()), MARKER}
    except (OSError, ValueError, TypeError):
        ours = set[str]()
    for path in folder.rglob("*"):
        if not path.is_dir() or path.is_symlink():
            name = path.relative_to(folder).as_posix()
            if name not in ours:
                yield name

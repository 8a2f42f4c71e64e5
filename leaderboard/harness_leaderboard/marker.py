"""The marker file of a site: every file that a build made, with the digest of its content.

It says what a later build may replace, and what it need not write again.
"""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from harness.errors import ConfigError

MARKER = ".harness-leaderboard.json"
"""Its name in the site."""

FORMAT = 2
"""1 was a list of names without digests."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What earlier builds left in a folder."""

    folder: Path
    """The site."""
    digests: Mapping[str, str]
    """By path; empty text where none is known."""
    written: int
    """When the marker was, in nanoseconds: a file that is newer was changed by somebody else."""

    def same(self, path: str, digest: str) -> str | None:
        """The file of this path if it still has this content; no link, since that may lead elsewhere."""
        if self.digests.get(path) != digest:
            return None
        file = f"{self.folder}/{path}"
        try:
            state = os.lstat(file)
        except OSError:
            return None
        return file if state.st_mtime_ns <= self.written and stat.S_ISREG(state.st_mode) else None


def read(folder: Path) -> Made:
    """What the folder's marker says; nothing if it has none that can be read.

    Raises:
        ConfigError: a newer harness made the site.
    """
    file = folder / MARKER
    try:
        found, written = json.loads(file.read_text("utf-8")), file.stat().st_mtime_ns
    except (OSError, ValueError):
        return Made(folder=folder, digests={}, written=0)
    return Made(folder=folder, digests=_digests(found, folder), written=written)


def write(folder: Path, digests: Mapping[str, str]) -> None:
    """Leave a marker."""
    content = {"format": FORMAT, "files": dict(sorted(digests.items()))}
    (folder / MARKER).write_text(json.dumps(content, indent=0) + "\n", "utf-8")


def _digests(found: Any, folder: Path) -> Mapping[str, str]:
    if isinstance(found, list):  # format 1
        names = cast(list[Any], found)
        return dict.fromkeys(names, "") if all(isinstance(name, str) for name in names) else {}
    if not isinstance(found, dict):
        return {}
    content = cast(dict[str, Any], found)
    version = content.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise ConfigError(
            f"{folder}: expected a site whose marker has the format {FORMAT} or an older one, found {version}, of a "
            "newer harness; build with that one, or name another folder"
        )
    files = content.get("files")
    return files if version == FORMAT and isinstance(files, dict) else {}

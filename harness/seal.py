"""Whether files are still what was written: a note beside them holds their sha256 and its own."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILES, OWN = "files", "seal"
"""What a note holds beside its facts."""


def digest_of(path: Path) -> str:
    """sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def names_in(folder: Path) -> list[str]:
    """All files below a folder, by their paths from there."""
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]


def sealed(facts: Mapping[str, Any], folder: Path, names: Sequence[str]) -> str:
    """Facts as a note's text, with the digests of these files of the folder and of the note itself."""
    note = {**facts, FILES: {name: digest_of(folder / name) for name in names}}
    return json.dumps({**note, OWN: _own(note)})


def unsealed(text: str, folder: Path) -> dict[str, Any]:
    """The facts of a note, after its digests were compared; a note of an older harness that has none is taken as it is.

    Raises:
        ValueError: saying what is not as it was written.
        OSError: a file can't be read.
    """
    note: dict[str, Any] = json.loads(text)
    if OWN in note and note.pop(OWN) != _own(note):
        raise ValueError("a note that has changed since it was written")
    for name, expected in note.pop(FILES, {}).items():
        if (found := digest_of(folder / name)) != expected:
            raise ValueError(f"{name} with sha256 {found[:12]}…, written with {expected[:12]}…")
    return note


def _own(note: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(note, sort_keys=True).encode()).hexdigest()

"""Text files read strictly, line by line: whatever is wrong is told with file and line."""

import json
import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import DataError

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
SURROGATE = re.compile(r"[\ud800-\udfff]")


def wrong(path: Path, line: int, expected: str, got: str, todo: str) -> DataError:
    """The error for a line; names the file without the way to its folder, since errors are stored and published."""
    return DataError(f"{path.parent.name}/{path.name}:{line}: expected {expected}, got {got}; {todo}")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers, from 1, without their ends.

    Raises:
        DataError: invalid UTF-8, a byte order mark, a blank line.
    """
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                line = raw.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                got = f"byte 0x{raw[error.start]:02x} at byte {error.start + 1} of the line"
                raise wrong(path, number, "UTF-8", got, "save the file as UTF-8") from None
            if line.startswith("\ufeff"):
                raise wrong(path, number, "plain UTF-8", "a byte order mark", "save the file without one")
            if not line or line.isspace():
                raise wrong(path, number, "a record", "a blank line", "remove it")
            yield number, line


def objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a file, one a line, with their line numbers.

    Raises:
        DataError: as `lines`; invalid JSON, something that is no object, half a surrogate pair.
    """
    for number, line in lines(path):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise wrong(path, number, "a JSON object", f"{error}", "write one object a line") from None
        if not isinstance(value, dict):
            raise wrong(path, number, "a JSON object", shown(value), 'write {"_id": …, "text": …}')
        if "\\u" in line and SURROGATE.search(json.dumps(value, ensure_ascii=False)):
            todo = "write the character itself, or both halves"
            raise wrong(path, number, "whole characters", "half a surrogate pair (\\ud800 … \\udfff)", todo)
        yield number, value


def text_field(path: Path, line: int, record: dict[str, Any], name: str, default: str | None = None) -> str:
    """A field that must be text; `default` if it is missing or null.

    Raises:
        DataError: another type, or missing without a default.
    """
    value = record.get(name)
    if isinstance(value, str):
        return value
    if value is None and default is not None:
        return default
    got = shown(value) if name in record else f"only {', '.join(map(repr, record)) or 'no field'}"
    raise wrong(path, line, f"a field {name!r} of text", got, f'write "{name}": "…"')


def id_field(path: Path, line: int, record: dict[str, Any]) -> str:
    """The field `_id`: text, not empty, without control characters and white space at its ends.

    Raises:
        DataError: if it is not so.
    """
    value = text_field(path, line, record, "_id")
    if not value or value != value.strip() or CONTROL.search(value):
        expected = "an _id that is not empty, without tabs, line breaks or blanks at its ends"
        raise wrong(path, line, expected, repr(value), "rename it, in the qrels too")
    return value


def shown(value: Any) -> str:
    """A JSON value as it was written, cut to a few words."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


class Unique:
    """Watches that no id of a file comes twice; 8 bytes an id, since corpora have millions."""

    def __init__(self, path: Path) -> None:
        """Watch the ids of this file."""
        self._path = path
        self._hashes = array("q")

    def see(self, record_id: str) -> None:
        """Take the next record's id."""
        self._hashes.append(hash(record_id))

    def check(self) -> None:
        """Look for an id that came twice.

        Raises:
            DataError: naming it and both lines.
        """
        hashes = np.sort(np.frombuffer(self._hashes, np.int64)) if self._hashes else np.zeros(0, np.int64)
        twice = set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
        first: dict[str, int] = {}
        for number, record in objects(self._path) if twice else ():
            record_id = record["_id"]
            if record_id in first:
                got = f"{record_id!r} again, first on line {first[record_id]}"
                raise wrong(self._path, number, "an _id of its own", got, "rename or remove one")
            if hash(record_id) in twice:
                first[record_id] = number

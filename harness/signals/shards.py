"""Parquet files of signals: append-only, named after their content, complete or not there."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import SignalError
from harness.signals import columns
from harness.signals.keys import SIZE

NOTE = b"harness"

FACTS: dict[str, Any] = {"teacher": str, "kind": str, "description": dict, "calls": int, "seconds": float}
"""What a note must hold."""


@dataclass(frozen=True)
class Shard:
    """One file; its name is the sha256 of its bytes."""

    path: Path

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """Teacher, kind, calls, seconds and time of making, as they were written with the values."""
        metadata = self._read(lambda: pq.read_schema(self.path)).metadata or {}
        if NOTE not in metadata:
            raise SignalError(f"{self.path.name}: expected a signal shard, got a Parquet file of something else")
        return json.loads(metadata[NOTE])

    def keys(self) -> list[bytes]:
        """The keys, in order."""
        return self._read(lambda: pq.read_table(self.path, columns=["key"])).column("key").to_pylist()

    def values(self) -> list[Any]:
        """The values, in the order of the keys."""
        table = self._read(lambda: pq.read_table(self.path, columns=["value"]))
        return columns.values(self.provenance["kind"], table.column("value"))

    def check(self) -> None:
        """Make sure that the note has all it should, and that the columns are those of its kind.

        Raises:
            SignalError: naming what is wrong, so that a file from elsewhere can't bring anything but signals.
        """
        wrong = [name for name, kind in FACTS.items() if not isinstance(self.provenance.get(name), kind)]
        if not wrong and self.provenance["kind"] not in columns.TYPES:
            wrong = ["kind"]
        if not wrong and not self._read(lambda: pq.read_schema(self.path)).equals(_schema(self.provenance["kind"])):
            wrong = ["columns"]
        if wrong:
            raise SignalError(f"signal shard {self.path.name} has unexpected {wrong[0]}; expected what export writes")

    def verify(self) -> None:
        """Compare the content with the name.

        Raises:
            SignalError: if a byte has changed since it was written.
        """
        if (found := digest(self.path)) != self.path.stem:
            raise SignalError(
                f"signal shard {self.path.name} is damaged: its content has sha256 {found[:12]}…; delete it, and what "
                "it held is asked of the teacher again"
            )

    def _read(self, read: Any) -> Any:
        try:
            return read()
        except (OSError, pa.ArrowException) as error:
            raise SignalError(
                f"signal shard {self.path.name} can't be read ({error}); delete it, and what it held is asked again"
            ) from error


def digest(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_shard(
    folder: Path, kind: str, keys: Sequence[bytes], values: Sequence[Any], provenance: Mapping[str, Any]
) -> Shard:
    """Write a shard whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    schema = _schema(kind).with_metadata({NOTE: json.dumps(provenance)})
    table = pa.table([pa.array(keys, pa.binary(SIZE)), columns.column(kind, values)], schema=schema)
    handle, name = tempfile.mkstemp(prefix=".shard-", dir=folder)
    os.close(handle)
    work = Path(name)
    try:
        pq.write_table(table, work)
        target = folder / f"{digest(work)}.parquet"
        os.replace(work, target)
    finally:
        work.unlink(missing_ok=True)
    return Shard(target)


def _schema(kind: str) -> pa.Schema:
    return pa.schema([("key", pa.binary(SIZE)), ("value", columns.TYPES[kind])])


def shards_in(folder: Path) -> list[Shard]:
    """All complete shards of a folder, in a fixed order."""
    return [Shard(path) for path in sorted(folder.glob("*.parquet"))]

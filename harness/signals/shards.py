"""Parquet files of signals: append-only, named after their content, complete or not there."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.data.kept import workplace
from harness.errors import SignalError
from harness.seal import digest_of
from harness.signals import columns, foreign
from harness.signals.keys import SIZE

NOTE = b"harness"


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
        try:
            return foreign.note(metadata[NOTE])
        except ValueError as error:
            raise SignalError(f"signal shard {self.path.name} has a note that can't be read: {error}") from None

    def keys(self) -> list[bytes]:
        """The keys, in order."""
        return self._read(lambda: pq.read_table(self.path, columns=["key"])).column("key").to_pylist()

    def values(self) -> list[Any]:
        """The values, in the order of the keys."""
        table = self._read(lambda: pq.read_table(self.path, columns=["value"]))
        return columns.values(self.provenance["kind"], table.column("value"))

    def check(self) -> None:
        """Make sure that it is what export writes: a note with all it should have, columns and values of its kind.

        Raises:
            SignalError: naming what is wrong, so that a file from elsewhere can't bring anything but signals.
        """
        if fault := foreign.fault_of_note(self.provenance):
            raise self._unexpected(fault)
        kind = self.provenance["kind"]
        if not self._read(lambda: pq.read_schema(self.path)).equals(_schema(kind)):
            raise self._unexpected("columns")
        for find in (foreign.fault_of_size, partial(foreign.fault_of_values, kind=kind)):
            if fault := self._read(partial(find, self.path)):
                raise self._unexpected(fault)

    def _unexpected(self, what: str) -> SignalError:
        return SignalError(f"signal shard {self.path.name} has unexpected {what}; expected what export writes")

    def verify(self) -> None:
        """Compare the content with the name.

        Raises:
            SignalError: if a byte has changed since it was written.
        """
        if (found := digest_of(self.path)) != self.path.stem:
            raise SignalError(
                f"signal shard {self.path.name} is damaged: its content has sha256 {found[:12]}…; delete it, and what "
                "it held is asked of the teacher again"
            )

    def _read(self, read: Any) -> Any:
        try:
            return read()
        except (OSError, pa.ArrowException) as error:
            reason = " ".join(str(error).split())[:200]
            raise SignalError(
                f"signal shard {self.path.name} can't be read ({reason}); delete it, and what it held is asked again"
            ) from error


def write_shard(
    folder: Path, kind: str, keys: Sequence[bytes], values: Sequence[Any], provenance: Mapping[str, Any]
) -> Shard:
    """Write a shard whole or not at all."""
    schema = _schema(kind).with_metadata({NOTE: json.dumps(provenance)})
    table = pa.table([pa.array(keys, pa.binary(SIZE)), columns.column(kind, values)], schema=schema)
    with workplace(folder) as work:
        pq.write_table(table, work / "shard")
        target = folder / f"{digest_of(work / 'shard')}.parquet"
        os.replace(work / "shard", target)
    return Shard(target)


def _schema(kind: str) -> pa.Schema:
    return pa.schema([("key", pa.binary(SIZE)), ("value", columns.TYPES[kind])])


def shards_in(folder: Path) -> list[Shard]:
    """All complete shards of a folder, in a fixed order."""
    return [Shard(path) for path in sorted(folder.glob("*.parquet"))]

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
from harness.signals.keys import SIZE

TYPES: dict[str, pa.DataType] = {
    "score": pa.float32(),
    "prefer": pa.float32(),
    "judge": pa.int32(),
    "order": pa.list_(pa.int32()),
    "embed": pa.list_(pa.float32()),
    "generate": pa.large_string(),
}
"""How each signal is stored."""

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
        return json.loads(metadata[NOTE])

    def keys(self) -> list[bytes]:
        """The keys, in order."""
        return self._read(lambda: pq.read_table(self.path, columns=["key"])).column("key").to_pylist()

    def values(self) -> list[Any]:
        """The values, in the order of the keys."""
        table = self._read(lambda: pq.read_table(self.path, columns=["value"]))
        return table.column("value").to_pylist()

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
    schema = pa.schema([("key", pa.binary(SIZE)), ("value", TYPES[kind])], metadata={NOTE: json.dumps(provenance)})
    table = pa.table([pa.array(keys, pa.binary(SIZE)), pa.array(values, TYPES[kind])], schema=schema)
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


def shards_in(folder: Path) -> list[Shard]:
    """All complete shards of a folder, in a fixed order."""
    return [Shard(path) for path in sorted(folder.glob("*.parquet"))]

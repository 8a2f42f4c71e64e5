"""What one process has read of a teacher's signals of one kind: each file is read and verified once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import SignalError
from harness.signals.shards import Shard


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Values by key, kept in memory."""

    folder: Path
    """Where the shards are."""
    identity: str
    """The only teacher whose shards belong here."""
    _values: dict[bytes, Any] = field(default_factory=dict[bytes, Any], repr=False)
    _files: set[str] = field(default_factory=set[str], repr=False)

    def read(self) -> Mapping[bytes, Any]:
        """All values, those in files that have come since the last time too.

        Raises:
            SignalError: a new file is damaged, or another teacher's.
        """
        names = os.listdir(self.folder) if self.folder.is_dir() else []
        for name in sorted(name for name in names if name.endswith(".parquet") and name not in self._files):
            self._take(Shard(self.folder / name))
        return self._values

    @property
    def sample(self) -> Any:
        """One of the values read so far; None if there is none."""
        return next(iter(self._values.values()), None)

    def _take(self, shard: Shard) -> None:
        shard.verify()
        if (found := shard.provenance["teacher"]) != self.identity:
            raise SignalError(
                f"shard {shard.path.name} is of teacher {found!r}, expected {self.identity!r}: wrong folder"
            )
        for key, value in zip(shard.keys(), shard.values(), strict=True):
            self._values.setdefault(key, value)  # what was once given out stays
        self._files.add(shard.path.name)

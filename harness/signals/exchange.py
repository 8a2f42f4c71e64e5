"""Signals in one file: what was taught here serves elsewhere, marked as imported and checked by its hashes."""

import re
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from harness.errors import SignalError
from harness.signals.shards import Shard, shards_in, write_shard
from harness.signals.store import SignalStore
from harness.store.archive import UNREADABLE, plain_members

NAMES = re.compile("[0-9a-f]{64}[.]parquet")


@dataclass(frozen=True, kw_only=True)
class Holding:
    """The signals of one kind of one teacher."""

    teacher: str
    """`Teacher.identity`."""
    description: str
    """Its plugin, for people to read."""
    kind: str
    """The signal."""
    shards: tuple[Shard, ...]
    """The files."""

    @property
    def name(self) -> str:
        """What it is called on the command line: the first part of its folder's name, and the kind."""
        return f"{self.shards[0].path.parent.parent.name}/{self.kind}"

    @property
    def count(self) -> int:
        """Number of signals."""
        return sum(len(shard.keys()) for shard in self.shards)

    @property
    def calls(self) -> int:
        """How often the teacher was asked."""
        return sum(shard.provenance["calls"] for shard in self.shards)

    @property
    def seconds(self) -> float:
        """How long it took to answer."""
        return sum(shard.provenance["seconds"] for shard in self.shards)

    @property
    def imported(self) -> int:
        """How many of the files came from elsewhere."""
        return sum("imported" in shard.provenance for shard in self.shards)


def holdings(store: SignalStore) -> list[Holding]:
    """All signals of a store, by teacher and kind."""
    found: list[Holding] = []
    for folder in sorted(store.root.glob("*/*")):
        if shards := shards_in(folder):
            note = shards[0].provenance
            plugin = str(note["description"].get("plugin", ""))
            found.append(Holding(teacher=note["teacher"], description=plugin, kind=note["kind"], shards=tuple(shards)))
    return found


def export(chosen: Sequence[Holding], file: Path) -> int:
    """Write signals to a zip file, whole or not at all; return the number of shards.

    Raises:
        SignalError: a damaged shard.
    """
    with tempfile.NamedTemporaryFile(dir=file.resolve().parent, delete=False) as handle:
        work = Path(handle.name)
    try:
        with zipfile.ZipFile(work, "w", zipfile.ZIP_STORED) as archive:
            shards = [shard for holding in chosen for shard in holding.shards]
            for shard in shards:
                shard.verify()
                archive.write(shard.path, shard.path.name)
        work.replace(file)
    finally:
        work.unlink(missing_ok=True)
    return len(shards)


def take_in(store: SignalStore, file: Path) -> int:
    """Add the signals of an exported file, marked as imported; return the number of shards.

    Everything is checked before anything is stored.

    Raises:
        SignalError: no zip file, a member that is no shard of signals, a content that doesn't have its hash, values
            that no teacher gives, or more of them than fit into the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        shards = _unpack(file, Path(folder))
        for shard in shards:
            _adopt(store, shard, file.name)
    return len(shards)


def _unpack(file: Path, folder: Path) -> list[Shard]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = plain_members(archive, file, NAMES, "<sha256>.parquet", partial(_unexpected, file))
            shards = [_extract(archive, member, folder / name) for name, member in members.items()]
    except UNREADABLE as error:
        told = " ".join(str(error).split()) or type(error).__name__
        raise SignalError(f"{file.name}: expected a file made by `harness signals export`, got {told}") from error
    for shard in shards:
        shard.verify()
        shard.check()
    return shards


def _unexpected(file: Path, expected: str, got: str) -> SignalError:
    return SignalError(f"{file.name}: expected {expected}, got {got}; it holds more than signals, or was changed")


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> Shard:
    with archive.open(member) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink)
    return Shard(target)


def _adopt(store: SignalStore, shard: Shard, origin: str) -> None:
    """Store a verified shard under its teacher, unless it is here already."""
    note = shard.provenance
    folder = store.folder(note["teacher"], note["kind"])
    if (folder / shard.path.name).exists() or shard.path.stem in {_source(other) for other in shards_in(folder)}:
        return
    imported = {"file": origin, "sha256": shard.path.stem, "at": datetime.now(UTC).isoformat()}
    write_shard(folder, note["kind"], shard.keys(), shard.values(), {**note, "imported": imported})


def _source(shard: Shard) -> str | None:
    """The hash that an imported shard had where it came from."""
    return shard.provenance.get("imported", {}).get("sha256")

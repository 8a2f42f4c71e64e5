"""Indexes that are kept: what the same code made of the same documents on the same device is opened, not made again.

An index depends on the method as it was built and on the documents, not on queries, judgements or measures: another
split or query set of a corpus finds it here. One whose bytes are not those that were written is removed and made again.
"""

import os
import shutil
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config import digest
from harness.contracts import Corpus, Retriever
from harness.environment import describe as describe_environment
from harness.errors import ConfigError, DataError, HarnessError
from harness.home import home
from harness.runner import identity
from harness.runner.clock import Costs, folder_bytes
from harness.runner.plan import Work
from harness.scoring.cost import peak_memory_bytes
from harness.seal import digest_of, names_in, sealed, unsealed
from harness.store.records import DeviceRecord

LIMIT = "HARNESS_INDEXES_GB"
"""Environment variable: how many 10⁹ bytes of indexes are kept; those unused for longest go first."""
DEFAULT_GB = 20.0
UNFINISHED = "unfinished"
"""Folder of what is left of indexings that were stopped, for whoever goes on."""
OLD_SECONDS = 14 * 86400.0
"""After which nobody is expected to go on."""
FILES, NOTE = "files", "note.json"
"""In a kept index's folder: what the method saved, and what was written and cost."""
STORED = "index_stored"
"""Cost that is 1 where the index was opened, and that of making it is what it cost then."""


@dataclass(frozen=True)
class Indexes:
    """The kept indexes of one work on one device."""

    method: str
    """Digest of all that an index depends on but the documents."""

    @classmethod
    def of(cls, work: Work, device: DeviceRecord) -> "Indexes":
        """Those that this work on this device makes; versions and threads count, since they change last bits."""
        environment = describe_environment()
        made_with = {name: environment[name] for name in ("python", "packages", "omp_num_threads")}
        facts = {
            "plugin": work.method.use.name,
            "config": identity.by_content(work.config, work.checkpoints),
            "implementation": work.implementation,
            "training": work.training,
            "seed": work.seed,
            "recorded": bool(work.first_stages),
            "device": [device.kind, device.model],
        }
        return cls(digest(facts | made_with))

    @property
    def unfinished(self) -> Path:
        """Where an indexing that is stopped may leave what it has, and goes on the next time."""
        return _root() / UNFINISHED / self.method

    def is_under_way(self) -> bool:
        """Whether a process is making one of these indexes, or was stopped while it did."""
        return any(self.unfinished.glob("*/"))

    def ready(self, retriever: Retriever, corpus: Corpus, folder: Path, costs: Costs) -> None:
        """Make the retriever ready to search: open the kept index, or make one and keep it.

        Args:
            retriever: has indexed nothing yet.
            corpus: the documents.
            folder: a new one, for what the retriever saves.
            costs: where the cost of indexing is added, now or when it was done: `index_seconds`, `index_bytes`, and
                the peak memory until then.
        """
        kept = _root() / digest({"method": self.method, "corpus": corpus.fingerprint})
        if (stored := _opened(kept, retriever, corpus)) is not None:
            costs.values |= {**stored, STORED: 1.0}
            return
        _forget_old()
        with costs.timed("index"):
            retriever.index(corpus)
        shutil.rmtree(self.unfinished, ignore_errors=True)
        folder.mkdir(parents=True)
        retriever.save(folder)
        found = {"index_seconds": costs.values["index_seconds"], "index_bytes": float(folder_bytes(folder))}
        if others := getattr(retriever, "blocks_of_others", 0):
            found["index_blocks_of_others"] = float(others)
        found["peak_memory_bytes"] = float(peak_memory_bytes())
        costs.values |= found
        _keep(folder, kept, found)


def _root() -> Path:
    return home() / "indexes"


def _opened(kept: Path, retriever: Retriever, corpus: Corpus) -> Mapping[str, float] | None:
    """What the index cost, now that the retriever has it; None if there is none to open."""
    if not kept.is_dir():
        return None
    try:
        note = unsealed((kept / NOTE).read_text(), kept)
        if damaged := _damaged(kept / FILES, note["sha256"]):
            raise DataError(f"{damaged} is not what was written")
        os.utime(kept / NOTE)
        retriever.load(kept / FILES, corpus)
        return note["cost"]
    except (OSError, ValueError, TypeError, KeyError, HarnessError) as error:
        warnings.warn(f"kept index {kept.name} can't be used ({error}); indexing again", stacklevel=2)
        shutil.rmtree(kept, ignore_errors=True)
        return None


def _forget_old() -> None:
    for folder in (_root() / UNFINISHED).glob("*"):
        if time.time() - max(path.stat().st_mtime for path in (folder, *folder.iterdir())) > OLD_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _damaged(folder: Path, expected: Mapping[str, str]) -> str:
    """Name of the first file that is missing, changed or not expected; empty if there is none."""
    names = {*expected, *names_in(folder)}
    return next((name for name in sorted(names) if _digest(folder / name) != expected.get(name)), "")


def _digest(file: Path) -> str:
    return digest_of(file) if file.is_file() else "no file"


def _keep(saved: Path, kept: Path, cost: Mapping[str, float]) -> None:
    """Move what a retriever saved to its place, whole, unless another process was first or there is no room for it."""
    if not _made_room(int(cost["index_bytes"])):
        return
    note: dict[str, Any] = {"sha256": {name: digest_of(saved / name) for name in names_in(saved)}, "cost": cost}
    whole = saved.with_name(f"{saved.name}-kept")
    whole.mkdir()
    os.replace(saved, whole / FILES)
    (whole / NOTE).write_text(sealed(note, whole, ()))
    kept.parent.mkdir(exist_ok=True)
    try:
        os.replace(whole, kept)
    except OSError:  # another process has kept the same
        if not kept.is_dir():
            raise


def _made_room(wanted: int) -> bool:
    """Whether so many bytes may be kept, now that the indexes unused for longest are gone."""
    limit = int(_limit_gb() * 1e9)
    if wanted > limit:
        return False
    found = sorted((note.stat().st_mtime, note.parent) for note in _root().glob(f"*/{NOTE}"))
    sizes = {folder: folder_bytes(folder) for _, folder in found}
    taken = sum(sizes.values())
    for _, folder in found:
        if taken + wanted <= limit:
            break
        shutil.rmtree(folder, ignore_errors=True)
        taken -= sizes[folder]
    return True


def _limit_gb() -> float:
    text = os.environ.get(LIMIT, "")
    try:
        limit = float(text or DEFAULT_GB)
    except ValueError:
        limit = -1.0
    if not 0 <= limit < float("inf"):
        raise ConfigError(f"{LIMIT}: expected a number of gigabytes from 0 on, got {text!r}")
    return limit

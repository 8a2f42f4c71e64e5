"""Teach once, distil many: what a teacher has said is kept, and only what is missing is asked.

    $HARNESS_HOME/signals/<teacher>/<kind>/<sha256>.parquet

A shard is written as soon as a few seconds' worth of answers is there, so that a kill loses no more than that.
Processes that want the same teacher's signals of one kind take turns; the second finds what the first has stored.
"""

import fcntl
import hashlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import SignalError
from harness.home import home
from harness.signals.shards import Shard, shards_in, write_shard

FIRST_SHARD = 64
SHARD_SECONDS = 20.0
"""A shard should hold about so many seconds of a teacher's work."""


@dataclass
class Account:
    """What asking has cost so far."""

    calls: int = 0
    """Questions put to the teacher."""
    seconds: float = 0.0
    """Time it took to answer."""
    stored: int = 0
    """Questions answered from the store."""


@dataclass(frozen=True)
class SignalStore:
    """The signals of all teachers below one folder."""

    root: Path = field(default_factory=lambda: home() / "signals")

    def folder(self, identity: str, kind: str) -> Path:
        """Where the signals of one kind of a teacher are."""
        return self.root / hashlib.sha256(identity.encode()).hexdigest()[:16] / kind

    def held(self, identity: str, kind: str) -> dict[bytes, Any]:
        """All values of one kind that a teacher has given, by key."""
        found: dict[bytes, Any] = {}
        for shard in shards_in(self.folder(identity, kind)):
            shard.verify()
            _check_teacher(shard, identity)
            found |= dict(zip(shard.keys(), shard.values(), strict=True))
        return found

    def ask(
        self, source: "Source", questions: Mapping[bytes, Any], account: Account, seconds: float = SHARD_SECONDS
    ) -> dict[bytes, Any]:
        """The answers to these questions by key: stored ones, and those that the teacher gives now.

        Args:
            source: the teacher, as far as it is needed here.
            questions: what to ask, by key.
            account: where calls and seconds are added.
            seconds: how much work a shard should hold.
        """
        with self._turn(source.identity, source.kind):
            held = self.held(source.identity, source.kind)
            missing = [key for key in questions if key not in held]
            account.stored += len(questions) - len(missing)
            for answers in self._teach(source, questions, missing, account, seconds):
                held |= answers
        return {key: held[key] for key in questions}

    def _teach(
        self,
        source: "Source",
        questions: Mapping[bytes, Any],
        missing: Sequence[bytes],
        account: Account,
        seconds: float,
    ) -> Iterator[dict[bytes, Any]]:
        """Ask what is missing, a shard at a time; each is stored before the next is asked."""
        start, size = 0, FIRST_SHARD
        while start < len(missing):
            keys = missing[start : start + size]
            begun = time.perf_counter()
            values = source.answer([questions[key] for key in keys])
            took = time.perf_counter() - begun
            account.calls += len(keys)
            account.seconds += took
            note = source.provenance | {"calls": len(keys), "seconds": took, "made": datetime.now(UTC).isoformat()}
            write_shard(self.folder(source.identity, source.kind), source.kind, keys, values, note)
            yield dict(zip(keys, values, strict=True))
            start += len(keys)
            size = max(1, min(2 * size, int(size * seconds / max(took, 1e-3))))

    @contextmanager
    def _turn(self, identity: str, kind: str) -> Generator[None]:
        """Wait until no other process asks this teacher; a process that dies gives up its turn."""
        folder = self.folder(identity, kind)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True, kw_only=True)
class Source:
    """A teacher and one kind of question."""

    identity: str
    """`Teacher.identity`."""
    kind: str
    """The signal."""
    answer: Callable[[Sequence[Any]], Sequence[Any]]
    """Puts questions to the teacher; checks and returns one stored value each."""
    description: Mapping[str, Any]
    """The teacher's plugin and configuration, for people to read."""

    @property
    def provenance(self) -> dict[str, Any]:
        """What every shard says of its origin."""
        return {"teacher": self.identity, "kind": self.kind, "description": dict(self.description)}


def _check_teacher(shard: Shard, identity: str) -> None:
    if (found := shard.provenance["teacher"]) != identity:
        raise SignalError(
            f"shard {shard.path.name} is of teacher {found!r}, expected {identity!r}: it is in the wrong folder"
        )

"""Teach once, distil many: what a teacher has said is kept, and only what is missing is asked.

    $HARNESS_HOME/signals/<teacher>/<kind>/<sha256>.parquet

A shard is written as soon as a few seconds' worth of answers is there, so that a kill loses no more than that.
Processes that want the same teacher's signals of one kind share the work, on one machine or on several that have the
folder in common: each asks a shard that nobody else is asking, and finds what the others have stored.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import SignalError
from harness.home import home
from harness.signals import claims
from harness.signals.shards import Shard, write_shard
from harness.signals.shelf import Shelf

FIRST_SHARD = 64
"""Questions in the first shard, before it is known how long they take."""
SHARD_SECONDS = 20.0
"""A shard should hold about so many seconds of a teacher's work …"""
SHARD_BYTES = 1 << 28
"""… but not much more than this: hidden states of a few thousand pairs are gigabytes."""
POLL_SECONDS = 0.1
"""How often it is looked whether others have stored what they are asking."""


@dataclass
class Account:
    """What asking has cost so far."""

    calls: int = 0
    """Questions put to the teacher."""
    seconds: float = 0.0
    """Time it took to answer."""
    stored: int = 0
    """Questions answered from the store."""

    def allow(self, calls: int, limit: int | None) -> None:
        """Refuse calls beyond the limit, before they are made.

        Raises:
            SignalError: if there would be more.
        """
        if limit is not None and self.calls + calls > limit:
            raise SignalError(
                f"the budget allows {limit} teacher calls; {self.calls} are used and {calls} more are asked for: raise "
                "the budget or ask for fewer signals"
            )


@dataclass(frozen=True, kw_only=True)
class Source:
    """A teacher and one kind of question."""

    identity: str
    """`Teacher.identity`."""
    kind: str
    """One of `columns.TYPES`."""
    answer: Callable[[Sequence[Any]], Sequence[Any]]
    """Puts questions to the teacher; checks and returns one stored value each."""
    description: Mapping[str, Any]
    """The teacher's plugin and configuration, for people to read."""
    calls: Callable[[Any], int] = lambda question: 1
    """As how many calls a question counts."""
    first: int = FIRST_SHARD
    """Questions in the first shard."""
    limit: int | None = None
    """Most calls that may be made, those on the account included."""

    @property
    def provenance(self) -> dict[str, Any]:
        """What every shard says of its origin."""
        return {"teacher": self.identity, "kind": self.kind, "description": dict(self.description)}


@dataclass(frozen=True)
class SignalStore:
    """The signals of all teachers below one folder; what was read once stays in memory."""

    root: Path = field(default_factory=lambda: home() / "signals")
    _shelves: dict[tuple[str, str], Shelf] = field(
        default_factory=dict[tuple[str, str], Shelf], init=False, repr=False, compare=False
    )

    def folder(self, identity: str, kind: str) -> Path:
        """Where the signals of one kind of a teacher are."""
        return self.root / hashlib.sha256(identity.encode()).hexdigest()[:16] / kind

    def shelf(self, identity: str, kind: str) -> Shelf:
        """What has been read of the signals of one kind of a teacher."""
        empty = Shelf(folder=self.folder(identity, kind), identity=identity)
        return self._shelves.setdefault((identity, kind), empty)

    def ask(self, source: Source, questions: Mapping[bytes, Any], account: Account) -> dict[bytes, Any]:
        """The answers to these questions by key: stored ones, and those that the teacher gives now.

        Args:
            source: the teacher, as far as it is needed here.
            questions: what to ask, by key.
            account: where calls and seconds are added.
        """
        shelf, size, own = self.shelf(source.identity, source.kind), source.first, 0
        while True:
            with claims.alone(shelf.folder):
                asked = claims.taken(shelf.folder)
                held = shelf.read()
                missing = [key for key in questions if key not in held]
                claim = claims.take(shelf.folder, (key for key in missing if key not in asked), size)
            if claim:
                own += sum(source.calls(questions[key]) for key in claim.keys)
                size = self._teach(source, claim, questions, account)
            elif missing:
                time.sleep(POLL_SECONDS)
            else:
                break
        account.stored += sum(map(source.calls, questions.values())) - own
        return {key: held[key] for key in questions}

    def _teach(self, source: Source, claim: claims.Claim, questions: Mapping[bytes, Any], account: Account) -> int:
        """Ask what is claimed and store it; how many questions the next shard should have."""
        try:
            shard, took = self._write(source, {key: questions[key] for key in claim.keys}, account)
        finally:
            claim.end()
        room = min(SHARD_SECONDS / max(took, 1e-3), SHARD_BYTES / shard.path.stat().st_size)
        return max(1, min(2 * len(claim.keys), int(len(claim.keys) * room)))

    def _write(self, source: Source, questions: Mapping[bytes, Any], account: Account) -> tuple[Shard, float]:
        """Ask these questions and store the answers; also the seconds that the teacher took."""
        calls = sum(map(source.calls, questions.values()))
        account.allow(calls, source.limit)
        begun = time.perf_counter()
        values = source.answer(list(questions.values()))
        took = time.perf_counter() - begun
        account.calls += calls
        account.seconds += took
        note = source.provenance | {"calls": calls, "seconds": took, "made": datetime.now(UTC).isoformat()}
        folder = self.folder(source.identity, source.kind)
        return write_shard(folder, source.kind, list(questions), values, note), took

"""What a worker is given and what it tells: the words between it and whoever follows a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from harness.runner.plan import Work
from harness.store import Store
from harness.store.records import Evaluation

Kind = Literal["submitted", "started", "done", "failed", "already", "elsewhere", "broken"]


@dataclass(frozen=True)
class Event:
    """What a worker tells its parent."""

    kind: Kind
    """What happened."""
    id: str
    """To which evaluation; empty for `broken`: the worker itself can't go on."""
    text: str = ""
    """The error, or the main measure's value."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a worker is given."""

    works: Sequence[Work]
    """The plan, in order."""
    device: str
    """Name of a registered device."""
    store: str | None
    """URL of the store."""
    before: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    """Evaluation id → when it had failed before the plan began: such a one is tried again, a later failure is not."""


def outcome(evaluation: Evaluation) -> str:
    """What an evaluation came to, in some words: its error, or its first measure."""
    name, value = next(iter(evaluation.measures.items()), ("", 0.0))
    return evaluation.error or f"{name} {value:.4f}"


def failures(store: Store, works: Sequence[Work]) -> dict[str, datetime]:
    """When those evaluations of a plan that are stored as failed did so; by it a later failure is told from them."""
    ids = [name for work in works for name in (work.id, *work.stages)]
    failed = [work_id for work_id, state in store.states(ids).items() if state == "failed"]
    return {seen.id: seen.finished for seen in store.evaluations(ids=failed, per_query=False)}

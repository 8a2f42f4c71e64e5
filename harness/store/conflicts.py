"""Two evaluations of one id: the same result, or two that contradict each other (decision 10)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.store.records import Evaluation

BESIDE = {
    "code": lambda e: e.method,
    "configuration": lambda e: (e.config, e.checkpoints),
    "task's description": lambda e: (e.task.name, e.task.facts, e.task.query_texts),
    "suite": lambda e: (e.division, e.suite, e.role, e.first_stages),
    "device": lambda e: (e.device, e.calibration),
    "environment": lambda e: (e.environment, e.harness_version),
    "cost": lambda e: e.cost,
    "training": lambda e: e.training,
    "files": lambda e: {artefact.name: artefact.sha256 for artefact in e.artefacts},
}
"""What may differ between two runs of one work, and may explain why their results do."""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """An evaluation that says something else than the stored one of its id."""

    evaluation: Evaluation
    """The other one; what is stored stays."""
    differs: tuple[str, ...]
    """Where they contradict each other, a line each."""
    beside: tuple[str, ...]
    """What else is not the same, in a word each."""


def conflict(here: Evaluation, there: Evaluation) -> Conflict | None:
    """How two done evaluations of one id contradict each other; None if they are of the same result."""
    differs = tuple(_contradictions(here, there))
    beside = tuple(name for name, part in BESIDE.items() if part(here) != part(there))
    return Conflict(evaluation=there, differs=differs, beside=beside) if differs else None


def _contradictions(here: Evaluation, there: Evaluation) -> Iterator[str]:
    if here.task.fingerprint != there.task.fingerprint:
        yield f"task: content {here.task.fingerprint[:12]} here, {there.task.fingerprint[:12]} there"
        return
    if here.task.query_ids != there.task.query_ids:
        yield f"task: {len(here.task.query_ids)} queries here, {len(there.task.query_ids)} others or in another order"
        return
    both = [name for name in here.measures if name in there.measures]
    if not both:
        yield f"measures: {', '.join(here.measures)} here, {', '.join(there.measures)} there; none in common"
    for name in both:
        yield from _of_measure(name, here, there)


def _of_measure(name: str, here: Evaluation, there: Evaluation) -> Iterator[str]:
    pairs = list(zip(here.per_query[name], there.per_query[name], strict=True))
    other = sum(mine != theirs for mine, theirs in pairs)
    if other or here.measures[name] != there.measures[name]:
        mine, theirs = _apart(here.measures[name], there.measures[name])
        counted = f"; {other} of {len(pairs)} queries differ" if pairs else ""
        yield f"{name}: {mine} here, {theirs} there{counted}"


def _apart(one: Any, other: Any) -> tuple[str, str]:
    """Two numbers as short as they can be told apart, or in full."""
    short = f"{one:.4f}", f"{other:.4f}"
    return short if short[0] != short[1] else (repr(one), repr(other))

"""The devices page: what evaluations ran on, and how fast it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from harness.store.records import Evaluation
from harness_leaderboard.catalogue import method_key
from harness_leaderboard.numbers import plain
from harness_leaderboard.public import publish
from harness_leaderboard.sections import Board
from harness_leaderboard.settings import FACTOR, RATES, DeviceSetting, device_settings

FACTS = {"processor": "Processor", "cores": "Cores", "memory_gib": "Memory", "driver": "Driver", "system": "System"}
"""What the environments of its evaluations tell of a machine, with the heads of the columns."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A device in one setting."""

    setting: DeviceSetting
    """Name and rates."""
    facts: Mapping[str, Sequence[str]]
    """By the names of `FACTS`: every value that an evaluation states."""
    done: int
    """Evaluations that succeeded."""
    failed: int
    """Evaluations that failed."""
    methods: int
    """Methods that ran on it."""
    days: tuple[date, date]
    """Of the first and the last evaluation, UTC."""


def content(board: Board) -> dict[str, Any]:
    """What the template is filled with."""
    settings = device_settings(board.evaluations)
    machines = [_machine(setting, [board.by_id[id] for id in sorted(setting.evaluations)]) for setting in settings]
    return {"machines": machines, "FACTS": FACTS, "RATES": RATES, "factor": FACTOR}


def _machine(setting: DeviceSetting, evaluations: Sequence[Evaluation]) -> Machine:
    done = sum(evaluation.state == "done" for evaluation in evaluations)
    days = [evaluation.finished.date() for evaluation in evaluations]
    shared = {id(evaluation.environment): evaluation.environment for evaluation in evaluations}
    environments: list[Mapping[str, Any]] = [publish(environment) for environment in shared.values()]
    return Machine(
        setting=setting,
        facts={name: sorted({_fact(environment, name) for environment in environments} - {""}) for name in FACTS},
        done=done,
        failed=len(evaluations) - done,
        methods=len({method_key(evaluation) for evaluation in evaluations}),
        days=(min(days), max(days)),
    )


def _fact(environment: Mapping[str, Any], name: str) -> str:
    """One fact of a machine; empty if it is not stated."""
    value = environment.get(name)
    if name == "driver":
        cuda = environment.get("cuda")
        value = cuda.get("driver") if isinstance(cuda, Mapping) else None
    if name == "system" and isinstance(value, Mapping):
        value = " ".join(plain(value[part]) for part in ("distribution", "kernel") if part in value) or value
    if value in (None, ""):
        return ""
    return f"{plain(value)} GiB" if name == "memory_gib" else plain(value)

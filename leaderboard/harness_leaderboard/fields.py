"""The fields of the data files, each with its meaning: what is written and what is documented are one list."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.store.records import Evaluation
from harness_leaderboard.sections import Board


@dataclass(frozen=True, kw_only=True)
class Field:
    """One documented field of the data files."""

    name: str
    """Column in CSV, key in JSON."""
    meaning: str
    """What it holds."""
    value: Callable[[Board, Evaluation], Any]
    """Takes it from an evaluation."""
    nested: bool = False
    """Only in JSON: a value with parts."""


FIELDS = (
    Field(name="id", meaning="Identity of the evaluation: equal work, equal id.", value=lambda _, e: e.id),
    Field(name="state", meaning="`done` or `failed`.", value=lambda _, e: e.state),
    Field(
        name="shown",
        meaning="Whether the board's figures are made of it; if not, it failed or newer code was evaluated since.",
        value=lambda board, e: e.id in board.shown,
    ),
    Field(name="method", meaning="The plugin's name.", value=lambda _, e: e.method.name),
    Field(name="kind", meaning="Retriever, teacher or distiller.", value=lambda _, e: e.method.kind),
    Field(name="distribution", meaning="Package that provides it.", value=lambda _, e: e.method.distribution),
    Field(name="version", meaning="Version of that package.", value=lambda _, e: e.method.version),
    Field(name="implementation", meaning="Digest of its source code.", value=lambda _, e: e.method.implementation),
    Field(name="config_digest", meaning="Identifies the configuration.", value=lambda _, e: e.config_digest),
    Field(name="config", meaning="The whole configuration.", value=lambda _, e: e.config, nested=True),
    Field(
        name="checkpoints",
        meaning="Each named checkpoint and the identity of its content.",
        value=lambda _, e: e.checkpoints,
        nested=True,
    ),
    Field(name="task", meaning="Name of the task.", value=lambda _, e: e.task.name),
    Field(name="split", meaning="Split that was evaluated.", value=lambda _, e: e.task.split),
    Field(name="fingerprint", meaning="Digest of the split's content.", value=lambda _, e: e.task.fingerprint),
    Field(name="seed", meaning="Where all chance came from.", value=lambda _, e: e.seed),
    Field(name="division", meaning="`closed`: a suite fixed all but the method.", value=lambda _, e: e.division),
    Field(name="suite", meaning="The suite it ran under, if any.", value=lambda _, e: e.suite),
    Field(
        name="role",
        meaning="In a suite: `method`, `control` (labels alone), `ceiling` (the teacher) or `untrained`.",
        value=lambda _, e: e.role,
    ),
    Field(
        name="training",
        meaning="How a distilled retriever was made: lesson, student, teachers, tasks, candidates, account.",
        value=lambda _, e: {name: part for name, part in e.training.items() if name != "curves"},
        nested=True,
    ),
    Field(
        name="first_stages",
        meaning="Ids of the evaluations whose runs it started from.",
        value=lambda _, e: e.first_stages,
        nested=True,
    ),
    Field(name="device", meaning="Name of the registered device.", value=lambda _, e: e.device),
    Field(name="calibration", meaning="Measured rates of the device.", value=lambda _, e: e.calibration, nested=True),
    Field(
        name="environment",
        meaning="Packages, Python, system, processor, driver.",
        value=lambda _, e: e.environment,
        nested=True,
    ),
    Field(name="harness_version", meaning="Version of the harness.", value=lambda _, e: e.harness_version),
    Field(name="started", meaning="Begin, UTC.", value=lambda _, e: e.started.isoformat()),
    Field(name="finished", meaning="End, UTC.", value=lambda _, e: e.finished.isoformat()),
    Field(name="command", meaning="The command that makes it again.", value=lambda _, e: e.command),
    Field(name="error", meaning="Why it failed.", value=lambda _, e: e.error),
    Field(
        name="measures",
        meaning="Means over all queries, by the names of ir_measures; in CSV one column each, `measure:NAME`.",
        value=lambda _, e: e.measures,
        nested=True,
    ),
    Field(
        name="cost",
        meaning="Costs by name with unit; in CSV one column each, `cost:NAME`.",
        value=lambda _, e: e.cost,
        nested=True,
    ),
    Field(
        name="per_query",
        meaning="File with the value of every query; absent for what failed. In it, `query_ids` and, by measure, "
        "`values` in the same order.",
        value=lambda board, e: board.per_query_files.get(e.id, ""),
    ),
)

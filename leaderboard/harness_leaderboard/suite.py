"""A closed suite's table: one row a method, all seeds together, against the controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.store.records import Role
from harness_leaderboard.controls import ceiling_of, control_of, p_values, share_of_gap
from harness_leaderboard.entries import Entry, entries
from harness_leaderboard.labels import Key
from harness_leaderboard.lessons import lessons_of, spent
from harness_leaderboard.model import Method, Task
from harness_leaderboard.ranking import ALPHA
from harness_leaderboard.sections import Board, Section

ROLES: Mapping[Role, str] = {
    "method": "method",
    "control": "control: labels alone",
    "ceiling": "ceiling: the teacher",
    "untrained": "student, untrained",
    "baseline": "baseline, no student",
}
"""Roles in words."""

TRAINING_COSTS = ("train_seconds", "train_steps", "teacher_calls", "teacher_answers_stored", "teacher_seconds")
USE_COSTS = ("parameters", "index_bytes", "query_p50_ms")
SPENT = (*TRAINING_COSTS, *USE_COSTS)
"""Costs of a row, in the order of the columns."""


@dataclass(frozen=True, kw_only=True)
class SuiteCell:
    """A method on one task of the suite; there only if every seed is."""

    value: float
    """Mean of the task's main measure over queries and seeds."""
    spread: float | None
    """Sample standard deviation over seeds; None for one seed."""
    p: float | None
    """Against the control, adjusted; None for what is not tested."""
    above: bool | None
    """Whether it is above the control; None without one on this task."""

    @property
    def verdict(self) -> str:
        """Better or worse than the control, in words; empty if they are not told apart."""
        return "" if self.p is None or self.p >= ALPHA else "better" if self.above else "worse"


@dataclass(frozen=True, kw_only=True)
class SuiteRow:
    """A method in the suite's table."""

    method: Method
    """The method."""
    role: Role
    """What it is for."""
    mean: float | None
    """Mean over tasks and seeds; None if anything is missing."""
    spread: float | None
    """Sample standard deviation of that mean over seeds."""
    seeds: tuple[int, ...]
    """Those that it has, or should have."""
    share: float | None
    """Part of the gap between control and ceiling that it closed; only for methods."""
    control: Method | None
    """What it is held against; only for methods."""
    ceiling: Method | None
    """The teacher at the other end of the gap; only for methods."""
    cells: Mapping[str, SuiteCell]
    """By task key."""
    missing: tuple[str, ...]
    """What is not there, in words."""
    spent: Mapping[str, float]
    """Costs by the names of `SPENT`; what was not measured is absent."""
    devices: tuple[str, ...]
    """Names of the devices."""


@dataclass(frozen=True, kw_only=True)
class SuiteTable:
    """All that is said of a closed suite."""

    section: Section
    """Its section of the board."""
    tasks: Sequence[Task]
    """Columns; those on which nobody succeeded too."""
    rows: Sequence[SuiteRow]
    """Best mean first, those without a mean after."""

    @property
    def names(self) -> Mapping[str, str]:
        """Task key → what it is called; with its split where two splits of one task are there."""
        labels = [task.label for task in self.tasks]
        alone = {task.key: labels.count(task.label) == 1 for task in self.tasks}
        return {task.key: task.label if alone[task.key] else f"{task.label} {task.record.split}" for task in self.tasks}

    @property
    def measures(self) -> Sequence[str]:
        """The main measures of its tasks: one, unless the tasks differ."""
        return list(dict.fromkeys(task.main for task in self.tasks))


def suite_table(board: Board, section: Section) -> SuiteTable:
    """The table of a section of the closed division."""
    tasks, everyone = entries(board, section)
    ps = {task.key: p_values(task, everyone) for task in tasks}
    rows = [_row(entry, everyone, ps) for entry in everyone]
    rows.sort(key=lambda row: (row.mean is None, -(row.mean or 0.0)))
    return SuiteTable(section=section, tasks=tasks, rows=rows)


def _row(entry: Entry, everyone: Sequence[Entry], ps: Mapping[str, Mapping[Key, float]]) -> SuiteRow:
    compared = entry.role == "method"
    control = control_of(entry, everyone) if compared else None
    ceiling = ceiling_of(entry, everyone) if compared else None
    evaluations = [found for one in entry.row.standings.values() for found in one.result.evaluations]
    use = {name: value for name, value in entry.row.cost.items() if name in USE_COSTS}
    return SuiteRow(
        method=entry.method,
        role=entry.role,
        mean=entry.mean,
        spread=entry.spread,
        seeds=entry.seeds,
        share=share_of_gap(entry, control, ceiling),
        control=control.method if control else None,
        ceiling=ceiling.method if ceiling else None,
        cells={key: _cell(entry, key, control, ps[key]) for key in entry.results},
        missing=entry.missing,
        spent=spent(lessons_of(evaluations)) | use,
        devices=entry.row.devices,
    )


def _cell(entry: Entry, key: str, control: Entry | None, ps: Mapping[Key, float]) -> SuiteCell:
    result = entry.results[key]
    value, against = result.value(result.task.main), control.results.get(key) if control else None
    assert value is not None, "a standing has the main measure of every seed"
    level = against.value(against.task.main) if against else None
    return SuiteCell(
        value=value,
        spread=result.spread(result.task.main),
        p=ps.get(entry.method.key),
        above=None if level is None else value > level,
    )

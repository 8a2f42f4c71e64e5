"""The methods of a closed suite before they are compared: what of each is there, and what is missing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

from harness.store.records import Evaluation, Role
from harness_leaderboard.board import spread_of_means
from harness_leaderboard.catalogue import age, method_key, task_key
from harness_leaderboard.labels import Key
from harness_leaderboard.model import Method, Result, Task
from harness_leaderboard.sections import Board, Row, Section

TRAINED: tuple[Role, ...] = ("method", "control")
"""Roles that are trained, and so run with every seed of the suite; the others may need only one."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A method of a suite, all seeds together."""

    row: Row
    """Its row in the overview."""
    role: Role
    """As its newest evaluation has it."""
    tasks: Sequence[Task]
    """All tasks of the suite."""
    results: Mapping[str, Result]
    """By task key; only where every seed is there."""
    seeds: tuple[int, ...]
    """Those that it should have."""
    missing: tuple[str, ...]
    """What is not there, in words."""
    training: Mapping[str, Any]
    """How it was trained, as its newest evaluation has it."""

    @property
    def method(self) -> Method:
        """The method."""
        return self.row.method

    @cached_property
    def mean(self) -> float | None:
        """Mean over tasks of the mean over seeds; None unless every seed of every task is there."""
        values = [result.value(result.task.main) for result in self.results.values()]
        known = [value for value in values if value is not None]
        return fmean(known) if not self.missing and len(known) == len(self.tasks) > 0 else None

    @property
    def spread(self) -> float | None:
        """Sample standard deviation over seeds of the mean over tasks; None without a mean or a second seed."""
        return None if self.mean is None else spread_of_means(list(self.results.values()))


def entries(board: Board, section: Section) -> tuple[list[Task], list[Entry]]:
    """The tasks of a suite, those on which all failed included, and its methods by label."""
    own = [found for found in board.evaluations if (found.division, found.suite) == (section.division, section.suite)]
    by_method: dict[Key, list[Evaluation]] = defaultdict(list)
    for evaluation in sorted(own, key=age):
        by_method[method_key(evaluation)].append(evaluation)
    keys = {task_key(evaluation) for evaluation in own}
    tasks = [task for task in board.tasks if task.key in keys]
    trained = {found.seed for found in own if by_method[method_key(found)][-1].role in TRAINED}
    rows = sorted(section.rows, key=lambda row: (row.method.label, row.method.key))
    return tasks, [_entry(board, row, tasks, by_method[row.method.key], trained) for row in rows]


def _entry(board: Board, row: Row, tasks: Sequence[Task], own: Sequence[Evaluation], trained: set[int]) -> Entry:
    newest = own[-1]
    seeds = sorted(trained if newest.role in TRAINED else {evaluation.seed for evaluation in own})
    results: dict[str, Result] = {}
    missing: list[str] = []
    for task in tasks:
        standing = row.standings.get(task.key)
        there = {evaluation.seed for evaluation in standing.result.evaluations} if standing else set[int]()
        lacking = [seed for seed in seeds if seed not in there]
        missing += [f"{task.label} seed {seed}: {_why(board, task, seed, own)}" for seed in lacking]
        if standing and not lacking:
            results[task.key] = standing.result
    return Entry(
        row=row,
        role=newest.role,
        tasks=tasks,
        results=results,
        seeds=tuple(seeds),
        missing=tuple(missing),
        training=newest.training,
    )


def _why(board: Board, task: Task, seed: int, own: Sequence[Evaluation]) -> str:
    found = [evaluation for evaluation in own if task_key(evaluation) == task.key and evaluation.seed == seed]
    if any(evaluation.state == "failed" for evaluation in found):
        return "failed"
    if not found:
        return "not evaluated"
    return f"no {task.main}" if any(evaluation.id in board.shown for evaluation in found) else "of older code only"

"""What is compared with what: the places of results, the rows of a section, and the board of all sections."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal

from harness.store.records import Evaluation, Role
from harness_leaderboard.catalogue import method_key
from harness_leaderboard.external import External
from harness_leaderboard.labels import Key
from harness_leaderboard.model import Method, PerQuery, Result, Task
from harness_leaderboard.public import slug, unique

Mark = Literal["best", "tied", ""]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A result's place among the results of its task and section."""

    result: Result
    """The result."""
    value: float
    """Mean of the task's main measure over queries and seeds."""
    interval: tuple[float, float] | None
    """95 % bootstrap interval over queries; None without values by query."""
    p: float | None
    """Against the best, adjusted after Holm over all pairs; None for the best itself and what can't be tested."""
    group: int | None
    """Rank group, from 1; None for what can't be tested."""
    mark: Mark
    """Best, not told apart from the best, or neither; nothing where there is no other."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A method's row in the overview of a section."""

    method: Method
    """The method."""
    standings: Mapping[str, Standing]
    """By task key; what is not there was not evaluated."""
    failed: frozenset[str]
    """Keys of tasks on which it was only seen to fail."""
    mean: float | None
    """Mean over tasks; None unless it has all of them."""
    spread: float | None
    """Sample standard deviation of that mean over seeds."""
    borda: float | None
    """Mean over tasks of the share of the other methods that it beats, ties counting half; None without a mean, and
    where there is no other."""
    group: int | None
    """Rank group of the mean; None without a mean."""
    cost: Mapping[str, float]
    """Name → value over all tasks; what was not measured on every one is absent."""
    devices: tuple[str, ...]
    """Names of the devices."""

    @property
    def role(self) -> Role:
        """What the method is for in its suite."""
        found = next(iter(self.standings.values()), None)
        return found.result.evaluations[-1].role if found else "method"


@dataclass(frozen=True, kw_only=True, eq=False)
class Levels:
    """What the methods of a section reach on each query of a task."""

    methods: int
    """How many have values by query."""
    mean: PerQuery
    """Over methods."""
    lowest: PerQuery
    """Of any method."""
    highest: PerQuery
    """Of any method."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """One division and suite: what is compared with each other, and with nothing else."""

    title: str
    """Division and suite, in words."""
    anchor: str
    """Its id on the overview page."""
    division: str
    """Of its evaluations."""
    suite: str
    """Of its evaluations; may be empty in the open division."""
    page: str
    """File of the suite's table; empty for a division in which more than the method differs."""
    tasks: tuple[Task, ...]
    """Columns."""
    rows: tuple[Row, ...]
    """Best mean first, incomplete ones after."""
    levels: Mapping[str, Levels] = field(default_factory=dict[str, Levels], compare=False)
    """Task key → what its methods reach on each query; nothing where none has values by query."""

    @cached_property
    def row_of(self) -> Mapping[Key, Row]:
        """Rows by method."""
        return {row.method.key: row for row in self.rows}

    def ranking(self, task: Task) -> list[Standing]:
        """Who was evaluated on the task, best first."""
        found = [row.standings[task.key] for row in self.rows if task.key in row.standings]
        return sorted(found, key=lambda standing: (-standing.value, standing.result.method.label))


@dataclass(frozen=True, kw_only=True)
class Board:
    """All that the site shows."""

    title: str
    """Heading of the site."""
    day: date
    """Shown on the site; nothing else on it depends on when it is built."""
    sections: tuple[Section, ...]
    """Closed divisions first."""
    methods: tuple[Method, ...]
    """By label."""
    tasks: tuple[Task, ...]
    """By label."""
    evaluations: tuple[Evaluation, ...]
    """All of them, by id."""
    shown: frozenset[str]
    """Ids of the evaluations that the figures are made of; the others failed or were done again since."""
    external: External = field(default_factory=External)
    """What others say: on no page that compares."""

    @cached_property
    def by_id(self) -> Mapping[str, Evaluation]:
        """Evaluations by id."""
        return {evaluation.id: evaluation for evaluation in self.evaluations}

    @cached_property
    def column_of(self) -> Mapping[str, Task]:
        """Tasks by key."""
        return {task.key: task for task in self.tasks}

    @cached_property
    def of_method(self) -> Mapping[Key, Sequence[Evaluation]]:
        """Evaluations by method, in the order of their ids."""
        found: dict[Key, list[Evaluation]] = defaultdict(list)
        for evaluation in self.evaluations:
            found[method_key(evaluation)].append(evaluation)
        return found

    @cached_property
    def per_query_files(self) -> Mapping[str, str]:
        """Evaluation id → the file below `data/`, without `.js`, of its values by query, for those that have any."""
        having = [evaluation.id for evaluation in self.evaluations if evaluation.per_query]
        return {id: f"per_query/{name}" for id, name in zip(having, unique(map(slug, having)), strict=True)}

    @cached_property
    def queries_files(self) -> Mapping[str, str]:
        """Task key → the file below `data/`, without `.js`, of the ids of its queries."""
        return {task.key: f"queries/{PurePosixPath(task.page).stem}" for task in self.tasks}

"""What is compared with what: the places of results, the rows of a section, and the board of all sections."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

from harness.store.records import Evaluation
from harness_leaderboard.model import Method, Result, Task
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
    group: int | None
    """Rank group of the mean; None without a mean."""
    cost: Mapping[str, float]
    """Name → value over all tasks; what was not measured on every one is absent."""
    devices: tuple[str, ...]
    """Names of the devices."""


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

    @cached_property
    def by_id(self) -> Mapping[str, Evaluation]:
        """Evaluations by id."""
        return {evaluation.id: evaluation for evaluation in self.evaluations}

    @cached_property
    def per_query_files(self) -> Mapping[str, str]:
        """Evaluation id → the file below `data/` that has its values by query, for those that are done."""
        done = [evaluation.id for evaluation in self.evaluations if evaluation.state == "done"]
        return {id: f"per_query/{name}.json" for id, name in zip(done, unique(map(slug, done)), strict=True)}

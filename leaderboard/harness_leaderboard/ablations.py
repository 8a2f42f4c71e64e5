"""What changes with the options: a plugin's other configurations, as differences to one of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness_leaderboard.model import Method, Task
from harness_leaderboard.sections import Board, Row, Section

CHECKS = "-checks"
"""End of the name of a suite that holds the ablations of another."""
MOST = 20
"""So many configurations are listed, those that differ in the fewest options."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """An option that differs."""

    name: str
    """The option."""
    ours: str | None
    """Its value in the configuration of the page; None if it has no such option."""
    theirs: str | None
    """Its value in the other one."""


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """Another configuration of the plugin, against that of the page."""

    method: Method
    """The other."""
    section: Section
    """Where it was evaluated."""
    changes: Sequence[Change]
    """What is different about it."""
    by_task: Mapping[str, float]
    """Task key → its value less ours, on the tasks that both have."""

    @property
    def mean(self) -> float:
        """Of these differences."""
        return fmean(self.by_task.values())


@dataclass(frozen=True, kw_only=True)
class Ablations:
    """Of one method in one section."""

    section: Section
    """Where the method of the page was evaluated."""
    tasks: Sequence[Task]
    """Columns."""
    found: Sequence[Ablation]
    """The fewest changes first."""
    more: int
    """Those that are not listed."""


def ablations(board: Board, method: Method) -> list[Ablations]:
    """In each section in which it has results and another configuration shares a task with it."""
    made: list[Ablations] = []
    for section, row in _rows(board.sections, method):
        found = sorted(_others(board, section, row), key=lambda one: (len(one.changes), -one.mean, one.method.key))
        if found:
            shown = found[:MOST]
            tasks = [task for task in section.tasks if any(task.key in one.by_task for one in shown)]
            made.append(Ablations(section=section, tasks=tasks, found=shown, more=len(found) - len(shown)))
    return made


def _rows(sections: Sequence[Section], method: Method) -> Iterator[tuple[Section, Row]]:
    for section in sections:
        row = section.row_of.get(method.key)
        if row and row.standings:
            yield section, row


def _others(board: Board, section: Section, own: Row) -> Iterator[Ablation]:
    places = [(other, row) for other in board.sections if _related(section, other) for row in other.rows]
    for other, row in places:
        same = row.method.name == own.method.name and row.method.key != own.method.key
        if same and (differences := _differences(own, row)):
            yield Ablation(
                method=row.method,
                section=other,
                changes=changes(own.method.options, row.method.options),
                by_task=differences,
            )


def _related(one: Section, other: Section) -> bool:
    """Whether it is the same section, or the suite of its ablations, in either direction."""
    if one.division != other.division:
        return False
    return one.suite == other.suite or (
        bool(one.suite) and bool(other.suite) and one.suite.removesuffix(CHECKS) == other.suite.removesuffix(CHECKS)
    )


def _differences(own: Row, other: Row) -> dict[str, float]:
    shared = own.standings.keys() & other.standings.keys()
    return {key: other.standings[key].value - own.standings[key].value for key in sorted(shared)}


def changes(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[Change]:
    """The options in which two configurations differ, by name."""
    names = {name for name, _ in ours.items() ^ theirs.items()}
    return [Change(name=name, ours=ours.get(name), theirs=theirs.get(name)) for name in sorted(names)]

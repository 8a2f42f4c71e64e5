"""The overview of a section as data: what the table shows, sorts, filters and exports in a browser."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.store.places import last_part
from harness_leaderboard import numbers
from harness_leaderboard.board import COSTS
from harness_leaderboard.model import Task
from harness_leaderboard.public import displayed, without_places
from harness_leaderboard.sections import Row, Section
from harness_leaderboard.suite import ROLES, TRAINING_COSTS, SuiteRow, SuiteTable

Kind = Literal["method", "text", "measure", "share", "number"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the table."""

    id: str
    """Its key in the rows' values, and in an address."""
    label: str
    """Head."""
    kind: Kind
    """How a value is printed."""
    unit: str = ""
    """Below the head."""
    scale: float = 1.0
    """How much of the stored unit the printed one is."""
    decimals: int = 4
    """Printed ones of a number."""
    low: bool = False
    """Whether less is better, so that sorting begins with the lowest."""
    shown: bool = True
    """Whether it is shown before anybody chooses."""
    filter: bool = False
    """Whether rows can be chosen by its values."""


TRAITS = (
    Column(id="role", label="Role", kind="text", shown=False, filter=True),
    Column(id="kind", label="Kind", kind="text", shown=False, filter=True),
    Column(id="family", label="Family", kind="text", shown=False, filter=True),
    Column(id="teacher", label="Teacher", kind="text", shown=False, filter=True),
    Column(id="student", label="Student", kind="text", shown=False, filter=True),
    Column(id="size", label="Size", kind="text", shown=False, filter=True),
    Column(id="device", label="Device", kind="text", filter=True),
    Column(id="language", label="Language", kind="text", shown=False, filter=True),
    Column(id="trained_on", label="Trained on", kind="text", shown=False, filter=True),
)
"""What methods are chosen by."""

DECIMALS = 5
"""Of measures and shares in the file; one more than is shown."""

SIZES = ((25e6, "up to 25 M"), (100e6, "25 to 100 M"), (500e6, "100 to 500 M"), (float("inf"), "above 500 M"))
"""Classes of parameters: upper end, name."""


def file_of(section: Section) -> str:
    """The data file of a section's table."""
    return f"tables/{section.anchor}"


def content(section: Section, table: SuiteTable | None, costs: Collection[str] = COSTS) -> dict[str, Any]:
    """Columns and rows of a section, best mean first.

    Args:
        section: a section of the board.
        table: what is said of it if it is a closed suite.
        costs: those that are shown before anybody chooses.
    """
    suite = {row.method.key: row for row in table.rows} if table else {}
    columns = _columns(section, bool(suite), costs)
    rows = [_row(section, row, suite.get(row.method.key)) for row in section.rows]
    there = {name for row in rows for name, value in row["values"].items() if value not in (None, [], "")}
    mains = dict.fromkeys(task.main for task in section.tasks)
    kept = [column for column in columns if column.kind == "method" or column.id in there]
    return displayed(
        {
            "title": section.title,
            "caption": f"{', '.join(mains)}, mean over queries and seeds",
            "columns": [vars(column) for column in kept],
            "rows": [row | {"values": _in_order(kept, row["values"])} for row in rows],
        }
    )


def _in_order(columns: Sequence[Column], values: Mapping[str, Any]) -> list[Any]:
    """A row's values as a list, since names that stand a thousand times make the file twice as large."""
    return [_rounded(column, values.get(column.id)) for column in columns]


def _rounded(column: Column, value: Any) -> Any:
    """A measure without the digits that nobody sees and nothing packs; exact ones are in the evaluations’ files."""
    return round(value, DECIMALS) if column.kind in ("measure", "share") and value is not None else value


def task_id(section: Section, task: Task) -> str:
    """The id of a task's column: what it is called, since keys are long."""
    return f"task-{section.tasks.index(task) + 1}"


def _columns(section: Section, closed: bool, costs: Collection[str]) -> list[Column]:
    mains = {task.main for task in section.tasks}
    tasks = [
        Column(
            id=task_id(section, task),
            label=f"{task.label} {task.record.split}",
            kind="measure",
            unit=task.main if len(mains) > 1 else "",
        )
        for task in section.tasks
    ]
    several = len(section.tasks) > 1
    return [
        Column(id="method", label="Method", kind="method"),
        Column(id="group", label="Group", kind="number", decimals=0, low=True),
        Column(id="mean", label="Mean", kind="measure", unit=f"{len(tasks)} tasks", shown=several),
        Column(id="borda", label="Borda", kind="share", unit="share beaten", shown=several),
        Column(id="gap", label="Gap closed", kind="share", unit="control to teacher", shown=closed),
        *tasks,
        *(_cost(name, name in costs) for name in (*COSTS, *(TRAINING_COSTS if closed else ()))),
        *TRAITS,
    ]


def _cost(name: str, shown: bool) -> Column:
    label, unit = numbers.cost_head(name)
    scale, decimals = numbers.cost_scale(name)
    return Column(id=name, label=label, kind="number", unit=unit, scale=scale, decimals=decimals, low=True, shown=shown)


def _row(section: Section, row: Row, suite: SuiteRow | None) -> dict[str, Any]:
    standings = {task_id(section, task): row.standings.get(task.key) for task in section.tasks}
    done = {name: standing for name, standing in standings.items() if standing}
    spreads = {name: one.result.spread(one.result.task.main) for name, one in done.items()} | {"mean": row.spread}
    return {
        "label": row.method.label,
        "name": row.method.name,
        "apart": row.method.apart,
        "page": row.method.page,
        "badges": [word for word in (row.method.record.kind, row.role) if word not in ("retriever", "method")],
        "role": row.role,
        "values": {
            "group": row.group,
            "mean": row.mean,
            "borda": row.borda,
            "gap": suite.share if suite else None,
            **{name: standing.value for name, standing in done.items()},
            **(suite.spent if suite else {}),
            **row.cost,
            **_traits(section, row),
            "role": ROLES[row.role] if suite else None,
        },
        "marks": {name: standing.mark for name, standing in done.items() if standing.mark},
        "spreads": {name: spread for name, spread in spreads.items() if spread is not None},
        "notes": {task_id(section, task): "failed" for task in section.tasks if task.key in row.failed},
    }


def _traits(section: Section, row: Row) -> dict[str, Any]:
    results = [standing.result for standing in row.standings.values()]
    evaluations = [evaluation for result in results for evaluation in result.evaluations]
    trainings = [evaluation.training for evaluation in evaluations if evaluation.training]
    languages = {text for result in results for text in result.task.record.facts.get("languages") or ()}
    return {
        "kind": row.method.record.kind,
        "family": row.method.record.card.get("family") or None,
        "teacher": _told(trainings, "teachers") or (["none"] if trainings else None),
        "student": [last_part(name) for name in _told(trainings, "student")] or None,
        "size": _size(row.cost.get("parameters")),
        "device": list(row.devices),
        "language": sorted(languages) or None,
        "trained_on": _told(trainings, "tasks") or None,
    }


def _told(trainings: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """What the trainings say under this name, one text or several, each once."""
    given = [training.get(name) or () for training in trainings]
    texts = [[value] if isinstance(value, str) else value for value in given]
    return sorted({without_places(numbers.plain(text)) for found in texts for text in found})


def _size(parameters: float | None) -> str | None:
    return None if parameters is None else next(name for end, name in SIZES if parameters <= end)

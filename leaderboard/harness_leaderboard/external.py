"""External results: what others say of their methods, shown in a section of its own and ranked with nothing.

They are kept apart before anything is compared, so that no page that ranks, tests or draws can take them for what was
evaluated.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.store.records import Evaluation
from harness_leaderboard.catalogue import age, method_key, task_key
from harness_leaderboard.fields import NUMBERS, TEXT, TEXTS, Field, Table
from harness_leaderboard.labels import Key
from harness_leaderboard.model import Task
from harness_leaderboard.public import link

SOURCES = {"mteb": "result file of mteb", "run file": "run file, scored here"}
"""Where a result is from, in words."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A task that external results are on."""

    key: str
    """Identifies it."""
    label: str
    """Its name."""
    split: str
    """Its split."""
    revision: str
    """Of the data, where its content is known by that alone."""
    main: str
    """The measure that is shown."""
    page: str
    """Its page on the site; empty if nothing was evaluated on this content."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A method as one source has it."""

    key: Key
    """Identifies it."""
    name: str
    """What they call it."""
    source: str
    """Where the results are from."""
    details: str
    """Revision and experiment, where they are known."""
    url: str
    """What is said there; empty unless it is a web address."""
    values: Mapping[str, float]
    """By column; the newest, if it was corrected."""


@dataclass(frozen=True, kw_only=True)
class External:
    """All external results of a board."""

    evaluations: tuple[Evaluation, ...] = ()
    """By id; those that were corrected since included."""
    columns: tuple[Column, ...] = ()
    """By name."""
    rows: tuple[Row, ...] = ()
    """By name: their order says nothing."""

    @cached_property
    def by_column(self) -> Mapping[str, "External"]:
        """What is on each task alone."""
        return {column.key: self._on(column) for column in self.columns}

    def _on(self, column: Column) -> "External":
        return External(columns=(column,), rows=tuple(row for row in self.rows if column.key in row.values))


def apart(evaluations: Iterable[Evaluation]) -> tuple[tuple[Evaluation, ...], tuple[Evaluation, ...]]:
    """What was evaluated, and what is external, each by id."""
    known = sorted(evaluations, key=lambda evaluation: evaluation.id)
    others = tuple(evaluation for evaluation in known if evaluation.division == "external")
    return tuple(evaluation for evaluation in known if evaluation.division != "external"), others


def external(evaluations: Sequence[Evaluation], tasks: Mapping[str, Task]) -> External:
    """External results in rows and columns.

    Args:
        evaluations: external ones only, by id.
        tasks: those that something was evaluated on, by key.
    """
    newest = {task_key(one): one for one in sorted(evaluations, key=age)}
    columns = {key: _column(key, one, tasks.get(key)) for key, one in newest.items()}
    rows: dict[Key, list[Evaluation]] = {}
    for one in sorted(evaluations, key=age):
        rows.setdefault(method_key(one), []).append(one)
    return External(
        evaluations=tuple(evaluations),
        columns=tuple(sorted(columns.values(), key=lambda column: (column.label, column.split, column.key))),
        rows=tuple(sorted((_row(key, own, columns) for key, own in rows.items()), key=_row_order)),
    )


def _column(key: str, newest: Evaluation, known: Task | None) -> Column:
    record = newest.task
    mains = record.facts.get("measures") or tuple(newest.measures)
    return Column(
        key=key,
        label=known.label if known else record.name,
        split=record.split,
        revision="" if record.query_ids else str(record.facts.get("revision", "")),
        main=known.main if known else mains[0],
        page=known.page if known else "",
    )


def _row(key: Key, own: Sequence[Evaluation], columns: Mapping[str, Column]) -> Row:
    """The row of a method; `own` has the newest last."""
    origin = own[-1].config
    found = {task_key(one): one.measures.get(columns[task_key(one)].main) for one in own}
    told = str(origin.get("source", ""))
    return Row(
        key=key,
        name=key[0],
        source=SOURCES.get(told, told) or "not stated",
        details=", ".join(f"{name} {origin[name]}" for name in ("revision", "experiment") if origin.get(name)),
        url=link(str(origin.get("url", ""))),
        values={column: value for column, value in found.items() if value is not None},
    )


def _row_order(row: Row) -> tuple[str, str, str, Key]:
    return row.name.casefold(), row.source, row.details, row.key


EXTERNAL = Table(
    name="external",
    meaning="Every external result: what others say, never ranked among what was evaluated.",
    fields=(
        Field(name="id", meaning="Identity of what is said.", schema=TEXT, value=lambda _, e: e.id),
        Field(name="method", meaning="What they call the method.", schema=TEXT, value=lambda _, e: e.method.name),
        Field(
            name="origin",
            meaning="Where it is from: `source`, and `url`, `revision`, `experiment` where they are known.",
            schema={"type": "object", "additionalProperties": TEXT},
            value=lambda _, e: dict(e.config),
        ),
        Field(
            name="file",
            meaning="The file that says it: `file`, its `sha256`, and `mteb`, the version that wrote it.",
            schema={"type": "object", "additionalProperties": TEXT},
            value=lambda _, e: dict(e.environment),
        ),
        Field(name="task", meaning="Name of the task.", schema=TEXT, value=lambda _, e: e.task.name),
        Field(name="split", meaning="Its split.", schema=TEXT, value=lambda _, e: e.task.split),
        Field(
            name="fingerprint",
            meaning="Of the task's content; `mteb-…` where it is known by name and revision only.",
            schema=TEXT,
            value=lambda _, e: e.task.fingerprint,
        ),
        Field(
            name="languages",
            meaning="Of the task.",
            schema=TEXTS,
            value=lambda _, e: list(e.task.facts.get("languages", ())),
        ),
        Field(name="finished", meaning="When, UTC.", schema=TEXT, value=lambda _, e: e.finished.isoformat()),
        Field(name="command", meaning="The command that takes it in.", schema=TEXT, value=lambda _, e: e.command),
        Field(name="measures", meaning="Means over all queries.", schema=NUMBERS, value=lambda _, e: dict(e.measures)),
    ),
)
"""`data/external.json`, where there is any."""

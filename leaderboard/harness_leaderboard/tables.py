"""A closed suite's table as generated data: Markdown for a page of documentation, CSV and JSON with exact numbers."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from harness.errors import ConfigError
from harness.store.records import Evaluation
from harness_leaderboard import numbers
from harness_leaderboard.board import assemble
from harness_leaderboard.cells import csv_text
from harness_leaderboard.model import Method
from harness_leaderboard.public import publish, visible, without_places
from harness_leaderboard.suite import ROLES, SPENT, SuiteCell, SuiteRow, SuiteTable, suite_table

FIRST = ("method", "options", "role", "mean", "spread", "seeds", "gap_share", "control", "ceiling")
"""Values of a row that are of no single task and no cost."""


def table_of(evaluations: Iterable[Evaluation], suite: str) -> SuiteTable:
    """The table of a closed suite, among all evaluations of a store: names depend on what else is on the board.

    Raises:
        ConfigError: no evaluation of such a suite.
    """
    board = assemble(evaluations, date.min, "")
    closed = {section.suite: section for section in board.sections if section.page}
    if suite not in closed:
        known = ", ".join(sorted(closed)) or "none"
        raise ConfigError(f"the store has no evaluation of a closed suite {suite!r}; it has of: {known}")
    return suite_table(board, closed[suite])


def files(tables: Iterable[SuiteTable]) -> dict[str, bytes]:
    """The data files of a site's suites, by path."""
    found: dict[str, bytes] = {}
    for table in tables:
        path = f"data/{table.section.page.removesuffix('.html')}"
        found[f"{path}.json"] = as_json(table).encode("ascii")
        found[f"{path}.csv"] = as_csv(table).encode("utf-8", "backslashreplace")
    return found


def as_json(table: SuiteTable) -> str:
    """The table as an object; what is missing is null."""
    content = {
        "suite": table.section.suite,
        "division": table.section.division,
        "measures": list(table.measures),
        "tasks": list(table.names.values()),
        "rows": [_values(row) | {"tasks": _tasks(table, row)} for row in table.rows],
    }
    return json.dumps(publish(content), indent=1, allow_nan=False) + "\n"


def as_csv(table: SuiteTable) -> str:
    """One line a method; what is missing is empty."""
    parts = [f"{part}:{name}" for name in table.names.values() for part in ("mean", "spread", "p")]
    lines: list[list[Any]] = [[*FIRST, *parts, *(f"cost:{name}" for name in SPENT), "missing"]]
    for row in table.rows:
        values = _values(row) | {"seeds": " ".join(map(str, row.seeds))}
        cells = [value for cell in _tasks(table, row).values() for value in cell.values()]
        costs = [row.spent.get(name) for name in SPENT]
        lines.append([*(values[name] for name in FIRST), *cells, *costs, "; ".join(row.missing)])
    return csv_text(lines)


def as_markdown(table: SuiteTable) -> str:
    """The table as its page shows it."""
    one = len(table.measures) == 1
    heads = ["method", "role", table.measures[0] if one else "mean", "seeds", "gap closed"]
    heads += [table.names[task.key] + ("" if one else f" {task.main}") for task in table.tasks]
    heads += [f"{name} ({unit})" if unit else name for name, unit in map(numbers.cost_head, SPENT)]
    lines = [list(map(_escaped, line)) for line in (heads, *(_shown(table, row) for row in table.rows))]
    lines.insert(1, ["---", "---", *["---:"] * (len(heads) - 2)])
    gaps = [f"{row.method.label}: {', '.join(row.missing)}" for row in table.rows if row.missing]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return (
        text
        + ("\nWithout a mean, for what is missing:\n\n" if gaps else "")
        + "".join(f"- {_escaped(gap)}\n" for gap in gaps)
    )


FORMATS: Mapping[str, Callable[[SuiteTable], str]] = {"markdown": as_markdown, "csv": as_csv, "json": as_json}
"""By the names that the command takes."""


def _values(row: SuiteRow) -> dict[str, Any]:
    return {
        "method": row.method.name,
        "options": row.method.apart,
        "role": row.role,
        "mean": row.mean,
        "spread": row.spread,
        "seeds": list(row.seeds),
        "gap_share": row.share,
        "control": _label(row.control),
        "ceiling": _label(row.ceiling),
        "cost": {name: row.spent.get(name) for name in SPENT},
        "missing": list(row.missing),
    }


def _tasks(table: SuiteTable, row: SuiteRow) -> dict[str, dict[str, float | None]]:
    cells = {name: row.cells.get(key) for key, name in table.names.items()}
    return {
        name: {part: getattr(cell, part, None) for part in ("value", "spread", "p")} for name, cell in cells.items()
    }


def _label(method: Method | None) -> str | None:
    return method.label if method else None


def _shown(table: SuiteTable, row: SuiteRow) -> list[str]:
    """The cells of a row in Markdown."""
    costs = [numbers.cost(name, row.spent[name]) if name in row.spent else numbers.MISSING for name in SPENT]
    share = numbers.MISSING if row.share is None else numbers.percent(row.share)
    mean = numbers.MISSING if row.mean is None else numbers.spread(row.mean, row.spread)
    cells = [_told(row.cells.get(key)) for key in table.names]
    return [row.method.label, ROLES[row.role], mean, str(len(row.seeds)), share, *cells, *costs]


def _told(cell: SuiteCell | None) -> str:
    if cell is None:
        return numbers.MISSING
    p = "" if cell.p is None else f", p {numbers.p_value(cell.p)} {cell.verdict}".rstrip()
    return numbers.spread(cell.value, cell.spread) + p


def _escaped(text: str) -> str:
    """Foreign text as text: no markup, no end of the cell or line."""
    shown = " ".join(visible(without_places(text)).split())
    return re.sub(r"([\\`*_{}\[\]<>|#!~&])", r"\\\1", shown)

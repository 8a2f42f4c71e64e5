"""Rows → CSV that no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from harness_leaderboard.public import without_places

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the begin of a formula."""


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV; numbers as exact as they are, None as nothing."""
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return lines.getvalue()


def _cell(value: Any) -> Any:
    """A cell; foreign text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else value
    text = without_places(value)
    return f"'{text}" if text.startswith(FORMULA) else text

"""What stood at the top of an evaluation's rankings, with texts: read from the file it left, if that is still there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import StoreError
from harness.store.files import checked_path
from harness.store.records import Artefact, Evaluation

NAME = "top"
"""Of the artefact."""
TYPES = {
    "query": pa.string(),
    "text": pa.string(),
    "document": pa.string(),
    "title": pa.string(),
    "score": pa.float32(),
    "grade": pa.int32(),
}
"""The columns that are read."""


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A document at its place."""

    document: str
    """Its id."""
    title: str
    """Its title, or the start of its text."""
    score: float
    """What the method gave it."""
    grade: int | None
    """How relevant it was judged; None if it was not judged."""


@dataclass(frozen=True, kw_only=True)
class Top:
    """The first documents of one query."""

    text: str
    """Of the query."""
    documents: tuple[Ranked, ...]
    """Best first."""


class Tops:
    """Reads top files."""

    @staticmethod
    def of(evaluation: Evaluation) -> Mapping[str, Top] | None:
        """The top of each query by its id; a query that found nothing has none.

        None if the evaluation left no such file, or it is missing, changed or unreadable: the board then shows that it
        is not there. Nothing is wrong with the evaluation's figures, which the store keeps itself.
        """
        artefact = next((found for found in evaluation.artefacts if found.name == NAME), None)
        path = _at_hand(artefact) if artefact else None
        table = _read(path) if path else None
        return None if table is None else dict(_tops(table))


def _at_hand(artefact: Artefact) -> Path | None:
    try:
        return checked_path(artefact)
    except StoreError:
        return None


def _read(path: Path) -> pa.Table | None:
    """The table, if it is one; a file of the stored digest may still be of a foreign harness."""
    try:
        table = pq.read_table(path, columns=list(TYPES))
    except (OSError, pa.ArrowException, KeyError):
        return None
    same = {name: table.schema.field(name).type for name in table.column_names} == TYPES
    return table if same else None


def _tops(table: pa.Table) -> Iterator[tuple[str, Top]]:
    for query, rows in groupby(table.to_pylist(), key=lambda row: row["query"]):
        found = list(rows)
        yield str(query), Top(text=found[0]["text"] or "", documents=tuple(map(_ranked, found)))


def _ranked(row: Mapping[str, Any]) -> Ranked:
    return Ranked(
        document=row["document"] or "", title=row["title"] or "", score=row["score"] or 0.0, grade=row["grade"]
    )

"""Values by query of many evaluations, read when they are asked for: nearly all of a store, and too much to hold.

An evaluation from `Store.listed` has `StoredValues` in place of a dictionary. `arrays` and `texts`
read those of many evaluations in a few statements; both take evaluations that hold their values as well.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO

import numpy as np
from jaxtyping import Float64
from sqlalchemy import Text, cast, select

from harness.errors import StoreError
from harness.store.database import Database
from harness.store.evaluations import chunks
from harness.store.models import MeasureRow
from harness.store.records import Evaluation

PerQuery = Float64[np.ndarray, " queries"]


class StoredValues(Mapping[str, tuple[float, ...]]):
    """One evaluation's values by measure; each access reads the store."""

    def __init__(self, database: Database, evaluation: str, names: Sequence[str]) -> None:
        """Of the evaluation of this id, which has these measures."""
        self.database = database
        self._evaluation = evaluation
        self._names = names

    def __getitem__(self, name: str) -> tuple[float, ...]:
        if name not in self._names:
            raise KeyError(name)
        found = dict(_read(self.database, [self._evaluation], [name]))
        return tuple(json.loads(found[self._evaluation][name]))

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def arrays(evaluations: Iterable[Evaluation], measure: str) -> dict[str, PerQuery]:
    """Evaluation id → values of the measure, for those that have it.

    Raises:
        StoreError: an evaluation has gone from its store since it was listed.
    """
    having = [evaluation for evaluation in evaluations if measure in evaluation.per_query]
    kept = [evaluation for evaluation in having if not isinstance(evaluation.per_query, StoredValues)]
    found = {one.id: np.array(one.per_query[measure], np.float64) for one in kept}
    for database, ids in _by_database(having).items():
        read = {id: values[measure] for id, values in _read(database, ids, [measure])}
        found |= dict(zip(read, _parsed(list(read.values())), strict=True))
    return found


def _parsed(lists: Sequence[str]) -> list[PerQuery]:
    """JSON lists of numbers as arrays; several times as fast as JSON's own way, and other threads go on meanwhile."""
    from pyarrow import csv, float64

    counts = [text.count(",") + 1 if len(text) > 2 else 0 for text in lists]
    if not sum(counts):
        return [np.zeros(0) for _ in lists]
    lines = "\n".join([text[1:-1] for text in lists]).replace(",", "\n").encode()
    table = csv.read_csv(
        BytesIO(lines),
        read_options=csv.ReadOptions(column_names=["value"], use_threads=False),
        convert_options=csv.ConvertOptions(column_types={"value": float64()}),
    )
    return np.split(table["value"].to_numpy(), np.cumsum(counts)[:-1])


def texts(evaluations: Iterable[Evaluation]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Evaluation id and, by measure, the values as JSON, as the store has them: nothing is parsed.

    Raises:
        StoreError: an evaluation has gone from its store since it was listed.
    """
    listed = list(evaluations)
    for one in listed:
        if not isinstance(one.per_query, StoredValues):
            yield one.id, {name: json.dumps(list(map(float, values))) for name, values in one.per_query.items()}
    for database, ids in _by_database(listed).items():
        yield from _read(database, ids, None)


def _by_database(evaluations: Iterable[Evaluation]) -> dict[Database, list[str]]:
    found: dict[Database, list[str]] = defaultdict(list)
    for one in evaluations:
        if isinstance(one.per_query, StoredValues) and one.per_query:
            found[one.per_query.database].append(one.id)
    return found


def _read(database: Database, ids: Sequence[str], names: Sequence[str] | None) -> Iterator[tuple[str, dict[str, str]]]:
    """Values as JSON by measure, of these measures or of all, for each of these evaluations."""
    columns = select(MeasureRow.evaluation_id, MeasureRow.name, cast(MeasureRow.per_query, Text))
    for chunk in chunks(ids):
        query = columns.where(MeasureRow.evaluation_id.in_(chunk))
        query = query if names is None else query.where(MeasureRow.name.in_(names))
        found: dict[str, dict[str, str]] = defaultdict(dict)
        with database.reading() as session:
            for id, name, text in session.execute(query.order_by(MeasureRow.position)):
                found[id][name] = text
        for id in chunk:
            if id not in found:
                raise StoreError(
                    f"store {database.address}: evaluation {id} has gone since the store was listed; start again"
                )
            yield id, found[id]

"""Records ↔ rows."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar, cast

from harness.store.models import (
    ArtefactRow,
    DeviceRow,
    EnvironmentRow,
    EvaluationRow,
    MeasureRow,
    MethodRow,
    TaskRow,
)
from harness.store.records import Artefact, DeviceRecord, Evaluation, MethodRecord, TaskRecord
from harness.store.validity import storable

Record = TypeVar("Record", Artefact, DeviceRecord, MethodRecord, TaskRecord)

AS_IS = (
    "id",
    "state",
    "config_digest",
    "seed",
    "division",
    "suite",
    "role",
    "device",
    "harness_version",
    "started",
    "finished",
)
"""Fields of an evaluation that are columns of the same name and value."""

JSON_FIELDS = ("config", "checkpoints", "calibration", "cost", "training")
"""Fields of an evaluation that are JSON objects."""


def digest(value: Any) -> str:
    """Names a shared row: sha256 of all that it says, as JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def method_row(method: MethodRecord) -> MethodRow:
    """A method's row."""
    values = _values(method) | {"card": dict(method.card)}
    return MethodRow(digest=digest(values), **values)


def task_row(task: TaskRecord) -> TaskRow:
    """A task's row."""
    lists = {"query_ids": list(task.query_ids), "query_texts": list(task.query_texts)}
    values = {
        "fingerprint": task.fingerprint,
        "name": task.name,
        "split": task.split,
        "facts": dict(task.facts),
    } | lists
    return TaskRow(digest=digest(values), **values)


def environment_row(environment: Mapping[str, Any]) -> EnvironmentRow:
    """An environment's row."""
    return EnvironmentRow(digest=digest(environment), facts=dict(environment))


def evaluation_row(evaluation: Evaluation, method: str, task: str, environment: str) -> EvaluationRow:
    """An evaluation's row with its measures and artefacts, over the digests of the shared rows."""
    return EvaluationRow(
        method_digest=method,
        task_digest=task,
        environment_digest=environment,
        first_stages=list(evaluation.first_stages),
        command=storable(evaluation.command),
        error=storable(evaluation.error),
        measures=_measure_rows(evaluation),
        artefacts=[ArtefactRow(position=i, **_values(artefact)) for i, artefact in enumerate(evaluation.artefacts)],
        **{name: getattr(evaluation, name) for name in AS_IS},
        **{name: dict(getattr(evaluation, name)) for name in JSON_FIELDS},
    )


def _measure_rows(evaluation: Evaluation) -> list[MeasureRow]:
    values = {name: list(map(float, evaluation.per_query[name])) for name in evaluation.measures}
    return [
        MeasureRow(position=position, name=name, mean=float(mean), per_query=values[name])
        for position, (name, mean) in enumerate(evaluation.measures.items())
    ]


class Reader:
    """Rows → records; evaluations of one method, task or environment share one record."""

    def __init__(self, *, per_query: bool) -> None:
        """`per_query`: whether evaluations get their values by query."""
        self._per_query = per_query
        self._shared: dict[str, Any] = {}

    def evaluation(self, row: EvaluationRow) -> Evaluation:
        """The evaluation that a row holds."""
        values = {measure.name: tuple(measure.per_query) for measure in row.measures} if self._per_query else {}
        return Evaluation(
            method=self.method(row.method),
            task=self.task(row.task),
            environment=row.environment.facts,
            first_stages=tuple(row.first_stages),
            command=row.command,
            error=row.error,
            measures={measure.name: measure.mean for measure in row.measures},
            per_query=values,
            artefacts=tuple(artefact(item) for item in row.artefacts),
            **{name: getattr(row, name) for name in (*AS_IS, *JSON_FIELDS)},
        )

    def method(self, row: MethodRow) -> MethodRecord:
        """The method that a row holds."""
        return cast(MethodRecord, self._shared.setdefault(row.digest, _record(MethodRecord, row)))

    def task(self, row: TaskRow) -> TaskRecord:
        """The task that a row holds."""
        if row.digest not in self._shared:
            lists = {"query_ids": tuple(row.query_ids), "query_texts": tuple(row.query_texts)}
            self._shared[row.digest] = replace(_record(TaskRecord, row), **lists)
        return cast(TaskRecord, self._shared[row.digest])


def artefact(row: ArtefactRow) -> Artefact:
    """The artefact that a row holds."""
    return _record(Artefact, row)


def device_row(device: DeviceRecord) -> DeviceRow:
    """A device's row."""
    return DeviceRow(**_values(device) | {"calibration": dict(device.calibration)})


def device(row: DeviceRow) -> DeviceRecord:
    """The device that a row holds."""
    return _record(DeviceRecord, row)


def _values(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _record(kind: type[Record], row: Any) -> Record:
    """A record from the columns of a row that have its fields' names."""
    return kind(**{field.name: getattr(row, field.name) for field in fields(kind)})

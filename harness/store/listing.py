"""All evaluations without their values by query: columns instead of the ORM's objects, and each text parsed once.

A board of 50,000 evaluations is read in seconds: what they share is read once, and JSON that many of them have in
common, such as a method's configuration, becomes one object.
"""

import json
from collections import defaultdict
from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from harness.store import convert
from harness.store.database import Database
from harness.store.models import ArtefactRow, EnvironmentRow, EvaluationRow, MeasureRow, MethodRow, TaskRow
from harness.store.records import Artefact, Evaluation
from harness.store.values import StoredValues

PLAIN = (*convert.AS_IS, "command", "error")
PARSED = (*convert.JSON_FIELDS, "first_stages")
DIGESTS = ("method_digest", "task_digest", "environment_digest")


class _Parsed(dict[str, Any]):
    """JSON text → value, each text once."""

    def __missing__(self, text: str) -> Any:
        value = self[text] = json.loads(text)
        return value


def listed(session: Session, database: Database) -> list[Evaluation]:
    """Every evaluation; their values by query are read from this database when they are asked for."""
    methods, tasks, environments = _shared(session)
    means, artefacts = _means(session), _artefacts(session)
    parsed = _Parsed()
    columns = [getattr(EvaluationRow, name) for name in (*PLAIN, *DIGESTS)]
    columns += [cast(getattr(EvaluationRow, name), Text) for name in PARSED]
    plain, digests = len(PLAIN), len(PLAIN) + len(DIGESTS)
    found: list[Evaluation] = []
    for row in session.execute(select(*columns)):
        values: dict[str, Any] = dict(zip(PLAIN, row[:plain], strict=True))
        values |= {name: parsed[text] for name, text in zip(PARSED, row[digests:], strict=True)}
        values["first_stages"] = tuple(values["first_stages"])
        method, task, environment = row[plain:digests]
        measures = means.get(values["id"], {})
        found.append(
            Evaluation(
                method=methods[method],
                task=tasks[task],
                environment=environments[environment],
                measures=measures,
                per_query=StoredValues(database, values["id"], tuple(measures)),
                artefacts=tuple(artefacts.get(values["id"], ())),
                **values,
            )
        )
    return found


def _shared(session: Session) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Methods, tasks and environments by digest."""
    reader = convert.Reader(per_query=False)
    return (
        {row.digest: reader.method(row) for row in session.scalars(select(MethodRow))},
        {row.digest: reader.task(row) for row in session.scalars(select(TaskRow))},
        {row.digest: row.facts for row in session.scalars(select(EnvironmentRow))},
    )


def _means(session: Session) -> dict[str, dict[str, float]]:
    """Evaluation id → means by measure, in the order in which they were stored."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    query = select(MeasureRow.evaluation_id, MeasureRow.name, MeasureRow.mean)
    for id, name, mean in session.execute(query.order_by(MeasureRow.position)):
        found[id][name] = mean
    return found


def _artefacts(session: Session) -> dict[str, list[Artefact]]:
    found: dict[str, list[Artefact]] = defaultdict(list)
    names = ("name", "path", "sha256", "bytes")
    columns = [getattr(ArtefactRow, name) for name in ("evaluation_id", *names)]
    for id, *values in session.execute(select(*columns).order_by(ArtefactRow.position)):
        found[id].append(Artefact(**dict(zip(names, values, strict=True))))
    return found

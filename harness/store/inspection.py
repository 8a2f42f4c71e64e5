"""What is wrong with a store: damage, rows and files without an owner, changed files, leases left behind."""

import math
from collections.abc import Iterator

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from harness.errors import StoreError
from harness.store import files, leases
from harness.store.models import ArtefactRow, EnvironmentRow, EvaluationRow, MeasureRow, MethodRow, TaskRow
from harness.store.records import Evaluation
from harness.store.store import Store
from harness.store.validity import check_evaluation


def problems(store: Store) -> list[str]:
    """All that is wrong, a line each; reads every evaluation and every file."""
    found: list[str] = []
    with store.database.reading() as session:
        if store.database.sqlite:
            found += _damage(session)
        found += _orphans(session)
        found += [f"lease on {row.resource} was left behind by {row.holder}" for row in leases.stale(session)]
    evaluations = store.evaluations()
    for evaluation in evaluations:
        found += _of_evaluation(evaluation)
    known = {evaluation.id for evaluation in evaluations}
    missing = {stage for evaluation in evaluations if evaluation.state == "done" for stage in evaluation.first_stages}
    found += [f"first stage {stage} is not stored" for stage in sorted(missing - known)]
    return found + list(_foreign_files(store, evaluations))


def _damage(session: Session) -> Iterator[str]:
    """What SQLite says of its own file."""
    for (message,) in session.execute(text("PRAGMA integrity_check")):
        if message != "ok":
            yield f"database: {message}"
    for table, row, *_ in session.execute(text("PRAGMA foreign_key_check")):
        yield f"database: row {row} of {table} belongs to nothing"


def _orphans(session: Session) -> Iterator[str]:
    shared = {
        MethodRow: EvaluationRow.method_digest,
        TaskRow: EvaluationRow.task_digest,
        EnvironmentRow: EvaluationRow.environment_digest,
    }
    for row, column in shared.items():
        for digest in session.scalars(select(row.digest).where(row.digest.not_in(select(column)))):
            yield f"row {digest[:16]} of {row.__tablename__} belongs to no evaluation"
    for row in (MeasureRow, ArtefactRow):
        query = select(row.evaluation_id, row.name).where(row.evaluation_id.not_in(select(EvaluationRow.id)))
        for evaluation_id, name in session.execute(query):
            yield f"{name} in {row.__tablename__} belongs to no evaluation: {evaluation_id}"


def _of_evaluation(evaluation: Evaluation) -> Iterator[str]:
    try:
        check_evaluation(evaluation)
    except StoreError as error:
        yield str(error)
    else:
        for name, values in evaluation.per_query.items():  # of an external result there may be none
            if values and not math.isclose(
                evaluation.measures[name], sum(values) / len(values), rel_tol=1e-9, abs_tol=1e-12
            ):
                yield f"evaluation {evaluation.id}: the stored {name} is not the mean of its values by query"
    for artefact in evaluation.artefacts:
        try:
            files.checked_path(artefact)
        except StoreError as error:
            yield f"evaluation {evaluation.id}: {error}"


def _foreign_files(store: Store, evaluations: list[Evaluation]) -> Iterator[str]:
    known = {artefact.path for evaluation in evaluations for artefact in evaluation.artefacts}
    for path in files.all_in(store.artefacts):
        if path not in known:
            yield f"file {path} belongs to no evaluation"

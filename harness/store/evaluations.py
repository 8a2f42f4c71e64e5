"""What a store does with evaluations, inside a session."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session, selectinload

from harness.errors import StoreError
from harness.store import convert
from harness.store.models import ArtefactRow, EnvironmentRow, EvaluationRow, MeasureRow, MethodRow, TaskRow
from harness.store.records import Artefact, Evaluation, State

SHORTEST_PREFIX = 4

CHUNK = 500
"""Ids in one query: databases limit how many values a statement may have."""


def put(session: Session, evaluation: Evaluation) -> None:
    """Insert an evaluation and what it shares with others; replace a failed one, leave a done one."""
    before = session.scalar(select(EvaluationRow.state).where(EvaluationRow.id == evaluation.id))
    if before == "done":
        return
    if before == "failed":
        _delete(session, [evaluation.id])
    shared = (
        convert.method_row(evaluation.method),
        convert.task_row(evaluation.task),
        convert.environment_row(evaluation.environment),
    )
    for row in shared:
        kind = type(row)
        if session.scalar(select(kind.digest).where(kind.digest == row.digest)) is None:
            session.add(row)
    session.add(convert.evaluation_row(evaluation, *(row.digest for row in shared)))


def states(session: Session, ids: Sequence[str]) -> dict[str, State]:
    """The states of those that are stored."""
    found: dict[str, State] = {}
    for chunk in chunks(ids):
        query = select(EvaluationRow.id, EvaluationRow.state).where(EvaluationRow.id.in_(chunk))
        found |= {row.id: row.state for row in session.execute(query)}
    return found


def matching(method: str | None, task: str | None, state: str | None, per_query: bool) -> Select[EvaluationRow]:
    """The query for evaluations that meet every condition given."""
    query = select(EvaluationRow).join(EvaluationRow.method).join(EvaluationRow.task)
    if not per_query:
        query = query.options(selectinload(EvaluationRow.measures).defer(MeasureRow.per_query))
    for column, value in ((MethodRow.name, method), (TaskRow.name, task), (EvaluationRow.state, state)):
        query = query if value is None else query.where(column == value)
    return query


def order(evaluation: Evaluation) -> tuple[str, str, str, str, int, str]:
    """Task, split, method, configuration, seed, id; sorted here, since databases collate differently."""
    task = evaluation.task
    return task.name, task.split, evaluation.method.name, evaluation.config_digest, evaluation.seed, evaluation.id


def remove(session: Session, prefixes: Sequence[str]) -> list[Artefact]:
    """Delete evaluations and what only they used; the artefacts that they had.

    Raises:
        StoreError: if one is not stored, or if another that stays started from its run.
    """
    ids = list(dict.fromkeys(full_id(session, prefix) for prefix in prefixes))
    _refuse_first_stages(session, set(ids))
    artefacts: list[Artefact] = []
    for chunk in chunks(ids):
        query = select(ArtefactRow).where(ArtefactRow.evaluation_id.in_(chunk)).order_by(ArtefactRow.path)
        artefacts += [convert.artefact(row) for row in session.scalars(query)]
        _delete(session, chunk)
    return artefacts


def full_id(session: Session, prefix: str) -> str:
    """The only id that starts so.

    Raises:
        StoreError: if there is none, if there are several, or if the prefix is too short.
    """
    if len(prefix) < SHORTEST_PREFIX:
        raise StoreError(
            f"expected an evaluation's id or its first {SHORTEST_PREFIX} characters or more, got {prefix!r}"
        )
    start = prefix.lower()
    query = select(EvaluationRow.id).where(EvaluationRow.id.startswith(start, autoescape=True))
    found = list(session.scalars(query.order_by(EvaluationRow.id).limit(SHORTEST_PREFIX)))
    if start in found:
        return start
    if not found:
        raise StoreError(f"no evaluation has an id that starts with {prefix!r}; see `harness results list`")
    if len(found) > 1:
        raise StoreError(f"{prefix!r} is the start of {', '.join(found)}; give more of the id")
    return found[0]


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ids, each once, in portions that a statement can hold."""
    unique = list(dict.fromkeys(ids))
    return (unique[start : start + CHUNK] for start in range(0, len(unique), CHUNK))


def _refuse_first_stages(session: Session, ids: set[str]) -> None:
    """A result means nothing without the run that it started from."""
    query = select(EvaluationRow.id, EvaluationRow.first_stages).order_by(EvaluationRow.id)
    for later, stages in session.execute(query):
        if later not in ids and (used := sorted(ids.intersection(stages))):
            raise StoreError(f"evaluation {later} started from the run of {used[0]}; remove it too, or keep both")


def _delete(session: Session, ids: Sequence[str]) -> None:
    """Delete evaluations, by cascade their measures and artefacts, and shared rows that are no longer used."""
    session.execute(delete(EvaluationRow).where(EvaluationRow.id.in_(ids)))
    used = {
        MethodRow: EvaluationRow.method_digest,
        TaskRow: EvaluationRow.task_digest,
        EnvironmentRow: EvaluationRow.environment_digest,
    }
    for row, column in used.items():
        session.execute(delete(row).where(row.digest.not_in(select(column))))

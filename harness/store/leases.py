"""Exclusive use of a resource by one process, for a time; the process renews it, and others take it over if it can't.

Every function works inside a writing session, which only one process has at a time: that is what makes it exclusive.
"""

from collections.abc import Sequence

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from harness.store.models import LeaseRow
from harness.store.owner import Owner


def evaluation_resource(evaluation_id: str) -> str:
    """What a lease on an evaluation is for: to do it, to store it, to clear up after who did."""
    return f"evaluation:{evaluation_id}"


def acquire(session: Session, resource: str, holder: str, owner: Owner, seconds: float) -> bool:
    """Take the resource unless somebody has it, be it the same holder; whether it is ours now."""
    now = clock(session)
    row = session.get(LeaseRow, resource)
    if row is not None:
        if not is_stale(row, now):
            return False
        session.delete(row)
        session.flush()
    session.add(
        LeaseRow(
            resource=resource,
            holder=holder,
            host=owner.host,
            pid=owner.pid,
            process_started=owner.started,
            expires=now + seconds,
        )
    )
    return True


def renew(session: Session, resource: str, holder: str, owner: Owner, seconds: float) -> bool:
    """Hold the resource for `seconds` from now; False if somebody else has it or nobody."""
    row = _own(session, resource, holder, owner)
    if row is not None:
        row.expires = clock(session) + seconds
    return row is not None


def release(session: Session, resource: str, holder: str, owner: Owner) -> None:
    """Give the resource back, if it is still ours."""
    row = _own(session, resource, holder, owner)
    if row is not None:
        session.delete(row)


def is_own(session: Session, resource: str, holder: str, owner: Owner) -> bool:
    """Whether nobody else has taken the resource since, even if the lease has run out."""
    return _own(session, resource, holder, owner) is not None


def held(session: Session, resources: Sequence[str]) -> set[str]:
    """Those of these resources that somebody has; a lease that has run out doesn't count."""
    now = clock(session)
    rows = (row for row in session.scalars(select(LeaseRow)) if not is_stale(row, now))
    return {row.resource for row in rows}.intersection(resources)


def stale(session: Session) -> list[LeaseRow]:
    """Leases that have run out or whose process is gone."""
    now = clock(session)
    rows = session.scalars(select(LeaseRow).order_by(LeaseRow.resource))
    return [row for row in rows if is_stale(row, now)]


def is_stale(row: LeaseRow, now: float) -> bool:
    """Whether anybody may take the resource."""
    return row.expires <= now or Owner(host=row.host, pid=row.pid, started=row.process_started).gone


def clock(session: Session) -> float:
    """Seconds since 1970 by the database's clock, the one clock that all processes share."""
    if session.get_bind().dialect.name == "sqlite":
        return session.scalars(select((func.julianday("now") - 2440587.5) * 86400.0)).one()
    return session.scalars(select(literal_column("extract(epoch from clock_timestamp())::float8"))).one()


def _own(session: Session, resource: str, holder: str, owner: Owner) -> LeaseRow | None:
    row = session.get(LeaseRow, resource)
    ours = row is not None and (row.holder, row.host, row.pid, row.process_started) == (
        holder,
        owner.host,
        owner.pid,
        owner.started,
    )
    return row if ours else None

"""The tables. A change here needs a migration; tests/store/test_schema.py compares the two.

Methods, tasks and environments are shared by many evaluations and named by a digest of all that they say, so that what
is read back is what was put in: one package may provide two methods, two tasks may have one content.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, in UTC; SQLite keeps no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Into the database: as UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Out of the database: as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What all tables share: how Python types and constraints are written in SQL."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own name and form
        str: Text(),
        int: BigInteger(),
        float: Double(),
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
        list[float]: JSON(),
    }


class EnvironmentRow(Base):
    """What an evaluation ran in: packages, Python, OS, processor, driver, git."""

    __tablename__ = "environments"

    digest: Mapped[str] = mapped_column(primary_key=True)
    facts: Mapped[dict[str, Any]]


class MethodRow(Base):
    """A `MethodRecord`."""

    __tablename__ = "methods"

    digest: Mapped[str] = mapped_column(primary_key=True)
    implementation: Mapped[str]
    name: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    distribution: Mapped[str]
    version: Mapped[str]
    card: Mapped[dict[str, Any]]


class TaskRow(Base):
    """A `TaskRecord`."""

    __tablename__ = "tasks"

    digest: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(index=True)
    split: Mapped[str]
    facts: Mapped[dict[str, Any]]
    query_ids: Mapped[list[str]]
    query_texts: Mapped[list[str]]


class EvaluationRow(Base):
    """An `Evaluation`."""

    __tablename__ = "evaluations"
    __table_args__ = (CheckConstraint("state in ('done', 'failed')", name="state"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    method_digest: Mapped[str] = mapped_column(ForeignKey("methods.digest"), index=True)
    task_digest: Mapped[str] = mapped_column(ForeignKey("tasks.digest"), index=True)
    environment_digest: Mapped[str] = mapped_column(ForeignKey("environments.digest"), index=True)
    config: Mapped[dict[str, Any]]
    config_digest: Mapped[str]
    checkpoints: Mapped[dict[str, Any]]
    seed: Mapped[int]
    division: Mapped[str]
    suite: Mapped[str]
    first_stages: Mapped[list[str]]
    device: Mapped[str]
    calibration: Mapped[dict[str, Any]]
    harness_version: Mapped[str]
    command: Mapped[str]
    started: Mapped[datetime]
    finished: Mapped[datetime]
    cost: Mapped[dict[str, Any]]
    error: Mapped[str]
    role: Mapped[str] = mapped_column(server_default="method")
    training: Mapped[dict[str, Any]] = mapped_column(server_default="{}")

    method: Mapped[MethodRow] = relationship(lazy="selectin")
    task: Mapped[TaskRow] = relationship(lazy="selectin")
    environment: Mapped[EnvironmentRow] = relationship(lazy="selectin")
    measures: Mapped[list["MeasureRow"]] = relationship(lazy="selectin", order_by="MeasureRow.position")
    artefacts: Mapped[list["ArtefactRow"]] = relationship(lazy="selectin", order_by="ArtefactRow.position")


class MeasureRow(Base):
    """One measure of an evaluation, over all queries and by query."""

    __tablename__ = "measures"

    evaluation_id: Mapped[str] = mapped_column(ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    mean: Mapped[float]
    per_query: Mapped[list[float]]


class ArtefactRow(Base):
    """An `Artefact`."""

    __tablename__ = "artefacts"

    evaluation_id: Mapped[str] = mapped_column(ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    path: Mapped[str]
    sha256: Mapped[str]
    bytes: Mapped[int]


class DeviceRow(Base):
    """A `DeviceRecord`."""

    __tablename__ = "devices"
    __table_args__ = (UniqueConstraint("kind", "identity"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    torch_name: Mapped[str]
    identity: Mapped[str]
    model: Mapped[str]
    memory_bytes: Mapped[int]
    driver: Mapped[str]
    calibration: Mapped[dict[str, Any]]
    registered: Mapped[datetime]


class LeaseRow(Base):
    """The exclusive use of a resource, until a moment or until the process that holds it is gone."""

    __tablename__ = "leases"

    resource: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    host: Mapped[str]
    pid: Mapped[int]
    process_started: Mapped[str]
    expires: Mapped[float]

"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision: str = "0001_v0.1.0"
down_revision: str | None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make all tables."""
    _shared()
    _evaluations()
    _measures_and_artefacts()
    _devices_and_leases()


def _text(*names: str) -> list["sa.Column[str]"]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _json(*names: str) -> list["sa.Column[object]"]:
    return [sa.Column(name, sa.JSON(), nullable=False) for name in names]


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _shared() -> None:
    op.create_table("environments", *_text("digest"), *_json("facts"), _key("environments", "digest"))
    op.create_table(
        "methods",
        *_text("digest", "implementation", "name", "kind", "distribution", "version"),
        *_json("card"),
        _key("methods", "digest"),
    )
    op.create_index("ix_methods_name", "methods", ["name"])
    op.create_table(
        "tasks",
        *_text("digest", "fingerprint", "name", "split"),
        *_json("facts", "query_ids", "query_texts"),
        _key("tasks", "digest"),
    )
    op.create_index("ix_tasks_fingerprint", "tasks", ["fingerprint"])
    op.create_index("ix_tasks_name", "tasks", ["name"])


def _evaluations() -> None:
    shared = {"method_digest": "methods", "task_digest": "tasks", "environment_digest": "environments"}
    op.create_table(
        "evaluations",
        *_text("id", "state", *shared),
        *_json("config"),
        *_text("config_digest"),
        *_json("checkpoints"),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        *_text("division", "suite"),
        *_json("first_stages"),
        *_text("device"),
        *_json("calibration"),
        *_text("harness_version", "command"),
        sa.Column("started", MOMENT, nullable=False),
        sa.Column("finished", MOMENT, nullable=False),
        *_json("cost"),
        *_text("error"),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.digest"], name=f"fk_evaluations_{column}")
            for column, table in shared.items()
        ),
        sa.CheckConstraint("state in ('done', 'failed')", name="ck_evaluations_state"),
        _key("evaluations", "id"),
    )
    for column in shared:
        op.create_index(f"ix_evaluations_{column}", "evaluations", [column])


def _belongs_to_evaluation(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_evaluation_id"
    return sa.ForeignKeyConstraint(["evaluation_id"], ["evaluations.id"], name=name, ondelete="CASCADE")


def _measures_and_artefacts() -> None:
    op.create_table(
        "measures",
        *_text("evaluation_id", "name"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        *_json("per_query"),
        _belongs_to_evaluation("measures"),
        _key("measures", "evaluation_id", "name"),
    )
    op.create_table(
        "artefacts",
        *_text("evaluation_id", "name"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        *_text("path", "sha256"),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        _belongs_to_evaluation("artefacts"),
        _key("artefacts", "evaluation_id", "name"),
    )


def _devices_and_leases() -> None:
    op.create_table(
        "devices",
        *_text("name", "kind", "torch_name", "identity", "model"),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=False),
        *_text("driver"),
        *_json("calibration"),
        sa.Column("registered", MOMENT, nullable=False),
        sa.UniqueConstraint("kind", "identity", name="uq_devices_kind"),
        _key("devices", "name"),
    )
    op.create_table(
        "leases",
        *_text("resource", "holder", "host"),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        *_text("process_started"),
        sa.Column("expires", sa.Double(), nullable=False),
        _key("leases", "resource"),
    )

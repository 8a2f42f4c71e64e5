"""What an evaluation is for in its suite, and how what it evaluates was trained.

Both columns have defaults, so that no table is copied: SQLite would empty `measures` by cascade with the old one.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0002_v0.2.0"
down_revision: str = "0001_v0.1.0"


def upgrade() -> None:
    """Add the two columns; what was stored before is a method without a training."""
    op.add_column("evaluations", sa.Column("role", sa.Text(), nullable=False, server_default="method"))
    op.add_column("evaluations", sa.Column("training", sa.JSON(), nullable=False, server_default="{}"))

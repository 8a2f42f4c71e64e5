"""How Alembic runs our migrations: in the transaction that `harness.store.schema` has begun."""

from alembic import context

from harness.store.models import Base
from harness.store.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()

"""Which schema a store has: a new store gets the newest, an old one is refused until it is upgraded.

A revision is named `<number>_v<the harness version that brought it>`, so that an older harness that meets it can say
what to install.
"""

import shlex
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from harness.errors import StoreError, StoreVersion
from harness.store.database import Database
from harness.store.models import Base

if TYPE_CHECKING:  # it takes as long to import as all the rest, and is needed only when schemas differ
    from alembic.config import Config
    from alembic.script import ScriptDirectory

NEWEST = "0002_v0.2.0"
"""The revision that this harness works with: the last one in migrations/versions."""

VERSION_TABLE = "harness_schema"
"""Not Alembic's default name: a PostgreSQL database may hold another program's tables beside ours."""


def prepare(database: Database) -> None:
    """Make sure that the store has the newest schema; a new store gets it.

    Raises:
        StoreError: if the database can't be opened or holds something else.
        StoreVersion: if its schema is older or newer than this harness's.
    """
    with database.reading() as session:
        found = revision(session)
    if found is None:
        upgrade(database)
    elif found != NEWEST:
        raise StoreVersion(_refusal(database, found))


def revision(session: Session) -> str | None:
    """The revision of the store's schema; None if it is empty.

    Raises:
        StoreError: if it has some of our tables and no revision.
    """
    tables = set(inspect(session.connection()).get_table_names())
    if VERSION_TABLE in tables:
        return session.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one()
    if taken := sorted(tables & set(Base.metadata.tables)):
        raise StoreError(f"the database has a table {taken[0]!r} of something else; expected a store or a new database")
    return None


def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the store to the newest schema in one transaction; the revisions before and after.

    Raises:
        StoreVersion: if its schema is newer than this harness's.
    """
    from alembic import command

    with database.writing() as session:
        before = revision(session)
        if before is not None and before not in _known():
            raise StoreVersion(_refusal(database, before))
        command.upgrade(_config(session.connection()), "head")
    return before, NEWEST


def _known() -> set[str]:
    return {script.revision for script in _scripts().walk_revisions()}


def _scripts() -> "ScriptDirectory":
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "harness.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _refusal(database: Database, found: str) -> str:
    if found in _known():
        fix = f"harness store upgrade --store {shlex.quote(database.address)}"
        return f"store {database.address} has schema {found}, this harness needs {NEWEST}; run `{fix}`"
    version = found.partition("_v")[2] or "newer than this one"
    return (
        f"store {database.address} has schema {found}, this harness knows {NEWEST} at most; "
        f"install retrieval-harness {version} or later"
    )

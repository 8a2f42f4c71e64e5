"""A store's URL → sessions: the only place that opens connections to a store.

Writers take one lock before they read (SQLite: the database's write lock; PostgreSQL: an advisory lock), so that what a
writer sees can't change under it. Readers see one moment of the database, however many queries they make.
"""

import json
import os
import sqlite3
import time
import weakref
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from harness.errors import MissingExtra, StoreError, StoreUnreachable
from harness.home import home

LOCK_SECONDS = 60
"""How long a writer waits for the other writers."""

WRITER_LOCK = 0x4841524E455353
"""Key of the advisory lock on PostgreSQL; any number that nobody else uses."""

PASSING = (None, "53300", "55P03", "57P01", "57P02", "57P03")
"""PostgreSQL's codes of failures that pass: none at all where no connection came to be, too many connections, a lock
that others hold, a server that shuts down, crashed or starts."""


def store_url(text: str | None) -> URL:
    """The URL of a store: of a file, of a database, or of the default file in `$HARNESS_HOME`.

    Raises:
        StoreError: if it is neither a path nor the URL of a kind of database that is supported.
    """
    if not text:
        return URL.create("sqlite", database=str(home() / "harness.db"))
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(os.path.expanduser(text)).resolve()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # its message may hold the password
        raise StoreError("the store's URL can't be read; expected PATH or postgresql://USER@HOST/DATABASE") from None
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise StoreError(f"a store can't be kept in {backend}; expected a SQLite file or a postgresql:// URL")
    if backend == "sqlite" and (url.database or ":memory:") == ":memory:":
        raise StoreError("a store can't be kept in memory, since processes share it; expected a SQLite file")
    if backend == "sqlite":
        return url.set(database=str(Path(str(url.database)).resolve()))
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def address(url: URL) -> str:
    """The URL as it may be shown: without password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    shown = url.difference_update_query(["password", "sslpassword"]).set(drivername=url.get_backend_name())
    return shown.render_as_string(hide_password=True)


class Database:
    """Sessions on one store."""

    def __init__(self, url: URL) -> None:
        """Nothing is opened yet.

        Raises:
            MissingExtra: if the database's driver is not installed.
        """
        self.address = address(url)
        self.sqlite = url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url) if self.sqlite else _postgresql_engine(url)
        weakref.finalize(self, self.engine.dispose)

    @contextmanager
    def reading(self) -> Generator[Session, None, None]:
        """A session that sees one moment of the database.

        Raises:
            StoreError: if the database fails.
        """
        level: dict[str, Any] = {} if self.sqlite else {"isolation_level": "REPEATABLE READ"}
        with self._session(self.engine.execution_options(**level)) as session:
            yield session

    @contextmanager
    def writing(self) -> Generator[Session, None, None]:
        """A session that alone may write; committed at the end, rolled back if the block raises.

        Raises:
            StoreError: if the database fails, or stays locked by others.
        """
        with self._session(self.engine.execution_options(writer=True)) as session:
            yield session
            session.commit()

    @contextmanager
    def alone(self) -> Generator[Connection, None, None]:
        """A connection outside of any transaction, for what no transaction may hold.

        Raises:
            StoreError: if the database fails.
        """
        try:
            with self.engine.execution_options(isolation_level="AUTOCOMMIT", alone=True).connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._failure(error) from error

    @contextmanager
    def _session(self, engine: Engine) -> Generator[Session, None, None]:
        try:
            with Session(engine, expire_on_commit=False) as session:
                yield session
        except SQLAlchemyError as error:
            raise self._failure(error) from error
        except UnicodeEncodeError as error:  # bytes of a command line that are no UTF-8
            raise StoreError(f"expected text in UTF-8, got {str(error.object)[:60]!r}; write it anew") from error

    def _failure(self, error: SQLAlchemyError) -> StoreError:
        kind = StoreUnreachable if _passes(error) else StoreError
        return kind(f"store {self.address}: {_reason(error)}")


def _reason(error: SQLAlchemyError) -> str:
    """What the database said, in one line; SQLAlchemy's own message holds the statement and its values."""
    original = getattr(error, "orig", None) or error
    return " ".join(str(original).split()) or type(original).__name__


def _passes(error: SQLAlchemyError) -> bool:
    """Whether the same may work later: the connection is lost or none came to be, or others hold a lock."""
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return error.connection_invalidated or (
        isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) in PASSING
    )


def _options() -> dict[str, Any]:
    return {"json_serializer": lambda value: json.dumps(value, ensure_ascii=False, allow_nan=False)}


def _sqlite_engine(url: URL) -> Engine:
    """Every session has a connection of its own: opening a file is cheap, and none stays open behind our back."""
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": LOCK_SECONDS}, **_options())
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # transactions are begun below, and schema changes belong to them
    connection.execute("PRAGMA foreign_keys = ON")
    end = time.monotonic() + LOCK_SECONDS
    while not _asked_for_wal(connection, last=time.monotonic() > end):
        time.sleep(0.01)


def _asked_for_wal(connection: sqlite3.Connection, *, last: bool) -> bool:
    """Whether SQLite took the request for a write-ahead log, which fails rather than wait for another writer."""
    try:
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            connection.execute("PRAGMA journal_mode = WAL")
        return True
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("alone"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writer") else "BEGIN")


def _postgresql_engine(url: URL) -> Engine:
    try:
        engine = create_engine(url, pool_pre_ping=True, **_options())
    except (ImportError, NoSuchModuleError) as error:
        raise MissingExtra(
            f"a PostgreSQL store needs a driver that is not installed ({error}): "
            "pip install 'retrieval-harness[postgresql]'"
        ) from None
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("writer"):
        for limit in ("lock_timeout", "idle_in_transaction_session_timeout"):  # nobody waits for a frozen process
            connection.exec_driver_sql(f"SET LOCAL {limit} = '{LOCK_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")

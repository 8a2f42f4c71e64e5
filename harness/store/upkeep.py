"""Keeping a store small and safe: a copy of the database, and the room that removed rows leave."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from harness.errors import MissingExtra, StoreError
from harness.store.database import Database
from harness.store.files import whole


def backup(database: Database, file: Path) -> int:
    """Copy the database as it is at one moment to a new file; others may write meanwhile.

    Of SQLite, the copy is a store itself. Of PostgreSQL, it is what `pg_restore --dbname URL FILE` reads.

    Args:
        database: of the store.
        file: appears whole or not at all.

    Returns:
        Its size in bytes.

    Raises:
        StoreError: the file is there already, or can't be written, or the database fails.
        MissingExtra: PostgreSQL's client programs are not installed.
    """
    if file.exists():
        raise StoreError(f"{file} is there already; a backup overwrites nothing: choose another name")
    if not file.parent.is_dir():
        raise StoreError(f"{file} could not be written: {file.parent} is no folder; make it first")
    try:
        with whole(file) as part:
            (_copy_sqlite if database.sqlite else _dump_postgresql)(database, part)
    except OSError as error:
        raise StoreError(f"{file} could not be written: {error.strerror or error}") from error
    return file.stat().st_size


def vacuum(database: Database) -> tuple[int, int]:
    """Give the room of removed rows back, and let the database look at its tables anew, so that queries stay quick.

    Returns:
        The database's size in bytes before and after.

    Raises:
        StoreError: the database fails, or is in use for longer than a writer waits.
    """
    before = size(database)
    with database.alone() as connection:
        if database.sqlite:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("ANALYZE")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.exec_driver_sql("VACUUM (ANALYZE)")
    return before, size(database)


def size(database: Database) -> int:
    """Bytes that the database takes, with what it has not written back yet."""
    if not database.sqlite:
        with database.reading() as session:
            return session.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    path = Path(str(database.engine.url.database))
    return sum(part.stat().st_size for part in (path, path.with_name(f"{path.name}-wal")) if part.exists())


def _copy_sqlite(database: Database, file: Path) -> None:
    """SQLite's own copy, page by page, and a look at whether it is sound."""
    try:
        with (
            closing(sqlite3.connect(str(database.engine.url.database))) as here,
            closing(sqlite3.connect(file)) as copy,
        ):
            here.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole by itself
            (found,) = copy.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"store {database.address}: {error}") from error
    if found != "ok":
        raise StoreError(f"store {database.address} is damaged: {found}; see `harness store check`")


def _dump_postgresql(database: Database, file: Path) -> None:
    """The copy that PostgreSQL's own program makes; its password goes by the environment: `ps` shows options."""
    program = shutil.which("pg_dump")
    if program is None:
        raise MissingExtra(
            "a backup of PostgreSQL needs pg_dump, which is not installed: apt install postgresql-client"
        )
    url = database.engine.url
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    plain = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    words = [program, "--format=custom", "--no-owner", f"--file={file}", f"--dbname={plain}"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StoreError(f"store {database.address}: {' '.join(done.stderr.split())}")

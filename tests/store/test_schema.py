"""Stores of other schemas are refused or upgraded, never misread; the migrations make what the models say."""

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, select

from harness.errors import MissingExtra, StoreError, StoreVersion
from harness.store import open_store, schema
from harness.store.database import Database, store_url
from harness.store.models import Base
from harness.store.records import DeviceRecord, Evaluation

HERE = Path(__file__).parent
TRAINING = {
    "lesson": "abcd",
    "student": "pip:some-model",
    "teachers": ["dense"],
    "tasks": ["nfcorpus", "scifact"],
    "candidates": "ab" * 32,
    "account": {"steps": 3, "examples": 48, "seconds": 1.5},
    "curves": {"train": [2.5, 1.25, 1 / 3]},
}
DEVICE = DeviceRecord(
    name="cpu",
    kind="cpu",
    torch_name="cpu",
    identity="A processor",
    model="A processor",
    memory_bytes=2**34,
    driver="",
    calibration={"matmul_gflops": 98.5, "copy_gb_per_s": 11.4},
    registered=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)
NEWEST = schema.NEWEST
PAST = sorted((HERE / "past").glob("*.sql"))
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9999_v9.8.7"
down_revision = "{newest}"


def upgrade() -> None:
    op.add_column("evaluations", sa.Column("note", sa.Text(), nullable=False, server_default="none"))
"""


def in_past_store(sample, revision: str) -> list[Evaluation]:
    """What was put into a store in past/: later ones hold what earlier schemas had no place for."""
    put = [sample(), sample(failed=True, id="fedc000000000000")]
    if revision >= "0002":
        put.append(sample(id="2222000000000000", seed=8, role="control", training=TRAINING))
    return put


def test_migrations_make_what_the_models_say(store):
    with store.database.reading() as session:
        options = {"compare_type": True, "version_table": schema.VERSION_TABLE}
        context = MigrationContext.configure(session.connection(), opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_newest_schema_is_the_last_migration():
    assert schema._scripts().get_current_head() == schema.NEWEST


def test_schema_is_the_golden_one(tmp_path):
    """To change it on purpose: a new migration, and this test once with HARNESS_UPDATE_GOLDEN=1."""
    open_store(str(tmp_path / "a.db"))
    with sqlite3.connect(tmp_path / "a.db") as connection:
        rows = connection.execute("select sql from sqlite_master where sql is not null order by type desc, name")
        found = ";\n\n".join(sql for (sql,) in rows) + ";\n"
    connection.close()
    golden = HERE / "schema.sql"
    if os.environ.get("HARNESS_UPDATE_GOLDEN"):
        golden.write_text(found)
    assert found == golden.read_text()


def test_there_is_a_store_of_every_schema(tmp_path, sample):
    """With HARNESS_UPDATE_GOLDEN=1, that of the newest is written; the others can't be made again."""
    newest = HERE / "past" / f"{schema.NEWEST}.sql"
    if os.environ.get("HARNESS_UPDATE_GOLDEN"):
        store = open_store(str(tmp_path / "a.db"))
        for evaluation in in_past_store(sample, NEWEST):
            store.put(evaluation)
        store.put_device(DEVICE)
        with sqlite3.connect(tmp_path / "a.db") as connection:
            newest.write_text("\n".join(connection.iterdump()) + "\n")
        connection.close()
    assert sorted(path.stem for path in (HERE / "past").iterdir()) == sorted(schema._known())


@pytest.mark.parametrize("past", PAST, ids=lambda path: path.stem)
def test_store_of_a_past_schema_upgrades_and_keeps_what_it_holds(past, url, tmp_path, sample):
    path = tmp_path / "past.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(past.read_text())
    connection.close()
    if "://" in url:
        move(path, past.stem, Database(store_url(url)))
    else:
        path.rename(url)
    schema.upgrade(Database(store_url(url)))
    store = open_store(url)
    assert store.evaluations() == in_past_store(sample, past.stem)
    assert store.devices() == [DEVICE]


def move(path: Path, revision: str, target: Database) -> None:
    """Put the rows of a past SQLite store into another database that has the same schema."""
    with target.writing() as session:
        command.upgrade(schema._config(session.connection()), revision)
    source = Database(store_url(str(path)))
    there, here = MetaData(), MetaData()
    there.reflect(source.engine)
    here.reflect(target.engine)
    with source.reading() as old, target.writing() as new:
        for table in there.sorted_tables:
            rows = [dict(row) for row in old.execute(select(table)).mappings()]
            if rows and table.name != schema.VERSION_TABLE:
                new.execute(here.tables[table.name].insert(), rows)


@pytest.fixture
def next_schema(monkeypatch, tmp_path):
    """A context in which the harness is one schema further."""

    class Next:
        def __enter__(self):
            folder = tmp_path / "versions"
            folder.mkdir(exist_ok=True)
            (folder / "9999_next.py").write_text(NEXT.format(newest=schema.NEWEST))
            plain = schema._config

            def config(connection=None):
                made = plain(connection)
                first = Path(schema.__file__).parent / "migrations" / "versions"
                made.set_main_option("version_locations", f"{first}{os.pathsep}{folder}")
                return made

            monkeypatch.setattr(schema, "_config", config)
            monkeypatch.setattr(schema, "NEWEST", "9999_v9.8.7")

        def __exit__(self, *_):
            monkeypatch.undo()

    return Next()


def test_old_schema_is_refused_with_the_command_that_upgrades_it(store, url, sample, next_schema):
    store.put(sample())
    with next_schema:
        with pytest.raises(StoreVersion) as refusal:
            open_store(url)
        assert "harness store upgrade --store" in str(refusal.value)
        assert "secret" not in str(refusal.value)
        database = Database(store_url(url))
        assert schema.upgrade(database) == (NEWEST, "9999_v9.8.7")
        assert schema.upgrade(database) == ("9999_v9.8.7", "9999_v9.8.7")
        assert open_store(url).evaluation(sample().id) == sample()
        database.engine.dispose()


def test_newer_schema_is_refused_with_the_version_to_install(store, url, next_schema):
    with next_schema:
        schema.upgrade(store.database)
    for attempt in (lambda: open_store(url), lambda: schema.upgrade(Database(store_url(url)))):
        with pytest.raises(StoreVersion, match=r"retrieval-harness 9\.8\.7"):
            attempt()


def test_failed_migration_leaves_the_store_as_it_was(store, url, next_schema, monkeypatch):
    monkeypatch.setattr(f"{__name__}.NEXT", NEXT + '    op.execute("INSERT INTO nothing VALUES (1)")\n')
    with next_schema, pytest.raises(StoreError):
        schema.upgrade(store.database)
    assert open_store(url).evaluations() == []


def test_processes_that_open_a_new_store_at_once(url, others):
    assert others.go(others.start(*[("open",)] * 4)) == [None] * 4


def test_database_of_something_else_is_left_alone(url, store):
    with store.database.writing() as session:
        session.connection().exec_driver_sql(f"DROP TABLE {schema.VERSION_TABLE}")
    with pytest.raises(StoreError, match="something else"):
        open_store(url)


def test_default_store_is_in_the_home(own_home):
    store = open_store()
    assert (own_home / "harness.db").exists()
    assert store.database.address == str(own_home / "harness.db")
    with sqlite3.connect(own_home / "harness.db") as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    connection.close()


def test_foreign_keys_are_enforced(store, sample):
    store.put(sample())
    with pytest.raises(StoreError, match=r"(?i)foreign key"), store.database.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM methods")


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("postgresql://someone:hush@127.0.0.1:1/x?connect_timeout=3", "refused"),
        ("postgresql://someone@127.0.0.1:1/x?password=hush&connect_timeout=3", "refused"),
        ("postgresql://someone:hush@127.0.0.1:port/x", "can't be read"),
        ("mysql://someone:hush@127.0.0.1/x", "mysql"),
        ("nothing://someone:hush@127.0.0.1/x", "nothing"),
        ("sqlite://", "memory"),
        ("/no/such/folder/a.db", "unable to open"),
    ],
)
def test_store_that_cannot_be_opened_is_told_in_a_line_without_password(address, word):
    if "refused" in word:
        pytest.importorskip("psycopg", reason="psycopg is not installed")
    with pytest.raises(StoreError, match=word) as refusal:
        open_store(address)
    assert "hush" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "a.db"
    path.write_text("this is no database, but somebody's notes\n" * 100)
    with pytest.raises(StoreError, match="not a database"):
        open_store(str(path))
    assert path.read_text().startswith("this is no database")


def test_missing_driver_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"retrieval-harness\[postgresql\]"):
        open_store("postgresql://someone@127.0.0.1/x")

"""A small collection, toy plugins installed beside it, and the command line in a process of its own.

tests/faults takes `Lab` and `write_collection` from here.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner
from sqlalchemy import make_url, text

from harness import devices
from harness.cli.results import results
from harness.store import Store, open_store
from tests.conftest import PATIENCE, wait_for

TOYS = Path(__file__).parent / "toys"
WORDS = [f"word{number}" for number in range(60)]


def write_collection(folder: Path, documents: int = 40, queries: int = 12) -> Path:
    """A BEIR folder: a query's relevant document shares three words with it."""
    chance = random.Random(documents)
    (folder / "qrels").mkdir(parents=True)
    texts = [" ".join(chance.sample(WORDS, 12)) for _ in range(documents)]
    lines = [json.dumps({"_id": f"d{i:03}", "title": "", "text": text}) for i, text in enumerate(texts)]
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n")
    asked = [(f"q{i}", chance.randrange(documents)) for i in range(queries)]
    lines = [json.dumps({"_id": q, "text": " ".join(chance.sample(texts[d].split(), 3))}) for q, d in asked]
    (folder / "queries.jsonl").write_text("\n".join(lines) + "\n")
    rows = ["query-id\tcorpus-id\tscore"] + [f"{q}\td{d:03}\t1" for q, d in asked]
    (folder / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n")
    return folder


@dataclass
class Lab:
    """A home, collections `small` and `other`, and the toys."""

    folder: Path
    toys: Path = TOYS
    server: str = ""
    """URL of a PostgreSQL server on which the store is; empty: a SQLite file in the home."""
    wait_for = staticmethod(wait_for)

    @property
    def url(self) -> str:
        """Of the store; on a server, of a database that is named after the folder."""
        if not self.server:
            return str(self.home / "harness.db")
        return str(make_url(self.server).set(database=_name(self.folder)).render_as_string(hide_password=False))

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def env(self) -> dict[str, str]:
        found = {"HARNESS_HOME": self.home, "HARNESS_DATA": self.folder / "data", "PYTHONPATH": self.toys}
        found |= {"HARNESS_STORE": self.url} if self.server else {}
        inherited = {name: value for name, value in os.environ.items() if name != "HARNESS_TEST_STORE"}
        return inherited | {name: str(value) for name, value in found.items()}

    def fresh(self, folder: Path) -> "Lab":
        """The same collections and toys, and a home where nothing has been done."""
        folder.mkdir()
        (folder / "data").symlink_to(self.folder / "data")
        return type(self)(folder, self.toys, make_database(self.server, folder) if self.server else "")

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "harness.cli.main", *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=self.env, start_new_session=True, **pipes)

    def harness(self, *words: str, status: int = 0) -> str:
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == status, f"exit {process.returncode}\n{out}\n{err}"
        return out + err

    def results(self) -> list[dict]:
        """What `harness results list` prints, without the cost of another process."""
        listed = CliRunner().invoke(results, ["list", "--format", "json"], env=self.env, catch_exceptions=False)
        assert listed.exit_code == 0, listed.output
        return json.loads(listed.stdout.strip() or "[]")

    def stored(self, url: str | None = None) -> dict[str, tuple[Any, ...]]:
        """What must be equal however often a plan was disturbed: everything but times and costs, the files too."""
        return {
            one.id: (
                (one.method.name, one.task.name, one.seed, one.state, one.first_stages),
                (one.measures, one.per_query, {file.name: file.sha256 for file in one.artefacts}),
            )
            for one in self._store(url).evaluations()
        }

    def leftovers(self, url: str | None = None) -> list[str]:
        """Files and rows that no evaluation owns."""
        store = self._store(url)
        done = {one.id for one in store.evaluations(state="done", per_query=False)}
        with store.database.reading() as session:
            rows = [f"lease {resource}" for resource in session.scalars(text("select resource from leases"))]
            for table in ("measures", "artefacts"):
                query = f"select evaluation_id from {table} where evaluation_id not in (select id from evaluations)"
                rows += [f"{table} {owner}" for owner in session.scalars(text(query))]
        files = [path for path in self.home.glob("artefacts/*/*") if path.name not in done]
        files += self.home.glob("work/*")
        files += (path for path in self.home.rglob(".*") if path.name != ".lock")  # half of what was to be written
        return rows + [str(path.relative_to(self.home)) for path in files]

    @contextmanager
    def opened(self, url: str | None = None) -> Iterator[Store]:
        """Its store, as if this process were at home there."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HARNESS_HOME", str(self.home))
            store = self._store(url)
            try:
                yield store
            finally:
                store.database.engine.dispose()

    def _store(self, url: str | None) -> Store:
        return open_store(url or self.url)

    @staticmethod
    def kill(process: "subprocess.Popen[str]") -> None:
        """SIGKILL to the command and to its workers, as a machine's out-of-memory killer or a power cut would."""
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(process.pid)
            for victim in [*parent.children(recursive=True), parent]:
                with suppress(psutil.NoSuchProcess):
                    victim.kill()
        process.communicate()

    @staticmethod
    def workers(process: "subprocess.Popen[str]") -> list[psutil.Process]:
        """The living worker processes of a command."""
        found: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    if "spawn_main" in " ".join(child.cmdline()) and child.status() != psutil.STATUS_ZOMBIE:
                        found.append(child)
        return found


def make_database(server: str, folder: Path) -> str:
    """Make the empty database of a folder's lab; the server."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{_name(folder)}"')
    return server


def _name(folder: Path) -> str:
    return f"lab_{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Which database the lab's store is on; on each with `on_both`, else on `HARNESS_TEST_STORE`."""
    return getattr(request, "param", os.environ.get("HARNESS_TEST_STORE", "sqlite"))


on_both = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store that knows the processor and nothing else; making one takes a third of a run's time."""
    lab = Lab(tmp_path_factory.mktemp("empty"))
    lab.home.mkdir()
    with lab.opened() as store:
        devices.require(store, "cpu")
    return Path(lab.url)


@pytest.fixture
def lab(tmp_path: Path, database: str, request: pytest.FixtureRequest) -> Lab:
    write_collection(tmp_path / "data" / "small")
    write_collection(tmp_path / "data" / "other", documents=50)
    if database == "sqlite":
        lab = Lab(tmp_path)
        lab.home.mkdir()
        shutil.copyfile(request.getfixturevalue("empty_store"), lab.url)
        return lab
    return Lab(tmp_path, server=make_database(request.getfixturevalue("postgresql"), tmp_path))

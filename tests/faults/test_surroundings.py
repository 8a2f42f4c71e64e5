"""What processes stand on: a full disk, a clock that is set, a database that is gone for ten seconds."""

import os
import random
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import PATIENCE

SECONDS = 10.0
"""How long the database is gone."""


@contextmanager
def small_disk(folder, size):
    """A file system of so many bytes in memory; skips where none may be mounted."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={size // 1024}k", "harness-faults", str(folder)]
    try:
        subprocess.run(words, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small file system can be mounted here: {getattr(error, 'stderr', '') or error}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_disk_full(bench):
    used = sum(path.stat().st_size for path in bench.lab.home.rglob("*") if path.is_file())

    def inject(lab, chance):
        with small_disk(lab.home, int(chance.uniform(0.05, 0.95) * used)):
            process = lab.start(*bench.plan)
            _, said = process.communicate(timeout=PATIENCE)
            assert process.returncode in (1, 2), said
            assert "Traceback" not in said
            if process.returncode == 2:
                assert said.strip().splitlines()[-1].startswith("harness: error: ")
            shutil.copytree(lab.home, lab.folder / "copy")
        lab.home.rmdir()
        (lab.folder / "copy").rename(lab.home)  # room is made: the same on a larger disk
        return True

    bench.try_out("disk full", inject=inject)


def test_disk_full_while_training(tmp_path, tally, training):
    safetensors = pytest.importorskip("safetensors")
    undisturbed = training().run(tmp_path / "undisturbed")

    def inject(number):
        folder, copy = tmp_path / str(number), tmp_path / f"copy-{number}"
        with small_disk(folder, random.Random(number).randrange(1 << 12, 1 << 15)):
            with pytest.raises((OSError, RuntimeError, safetensors.SafetensorError)):
                training().run(folder)
            shutil.copytree(folder, copy)
        return training().run(copy) == undisturbed

    tally("disk full while a checkpoint of a training is written", inject)


def test_clock_that_jumps(bench, tmp_path):
    compiler = shutil.which("cc") or pytest.skip("no C compiler here, to make a clock that can be set")
    library = tmp_path / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)

    def inject(lab, chance):
        clock = lab.folder / "clock"
        clock.write_text("0")
        lab.more = {"LD_PRELOAD": str(library), "CLOCK": str(clock)}
        both = [lab.start(*bench.plan) for _ in range(2)]
        for _ in range(3):
            bench.moment(lab, both[0], chance)
            clock.write_text(str(chance.choice([-1, 1]) * chance.randint(7200, 90000)))
        outs = [process.communicate(timeout=PATIENCE) for process in both]
        assert [process.returncode for process in both] == [0, 0], outs
        lab.more = {}
        with lab.opened() as store:
            off = [abs(one.finished - datetime.now(UTC)) > timedelta(hours=1) for one in store.evaluations()]
        return any(off)

    bench.try_out("the clock jumps by up to a day, back or forth", inject=inject)


def test_sqlite_locked_for_a_while(bench):
    def inject(lab, chance):
        process = lab.start(*bench.plan)
        database = lab.home / "harness.db"
        lab.wait_for(database.exists)
        bench.moment(lab, process, chance)
        with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            late = process.poll() is not None
            time.sleep(0 if late else SECONDS)
            other.execute("ROLLBACK")
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said
        return not late

    bench.try_out("SQLite is locked for 10 s", inject=inject)


def test_postgresql_gone_for_a_while(bench, postgresql):
    import psycopg

    def inject(lab, chance):
        with psycopg.connect(postgresql, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            (folder,) = connection.execute("SHOW data_directory").fetchone()
        process = lab.start(*bench.plan, "--store", postgresql)
        lab.wait_for(lambda: lab.workers(process))  # a command that begins while it is gone says so at once
        bench.moment(lab, process, chance)
        late = process.poll() is not None
        restart(Path(folder), 0 if late else SECONDS)
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said
        return not late

    plan = (*bench.plan, "--store", postgresql)
    bench.try_out("PostgreSQL is stopped for 10 s", inject=inject, plan=plan, url=postgresql)


def restart(data, seconds):
    """Stop the server of this folder, and start it with the same options after so long."""
    as_owner = ["runuser", "-u", data.owner(), "--"] if os.geteuid() == 0 else []
    program, *options = (data / "postmaster.opts").read_text().split()
    control = [*as_owner, str(Path(program).with_name("pg_ctl")), "-D", str(data), "-w", "-s"]
    subprocess.run([*control, "-m", "fast", "stop"], check=True, capture_output=True, cwd=data.parent)
    time.sleep(seconds)
    words = ["-o", " ".join(options), "-l", str(data.parent / "log"), "start"]
    subprocess.run([*control, *words], check=True, capture_output=True, cwd=data.parent)

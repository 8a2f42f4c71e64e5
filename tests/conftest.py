"""A real PostgreSQL server of our own, for the tests of stores and of what works with them; how long tests wait."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 600.0
"""Seconds until a test gives up on what must come, on however busy a machine: only one that fails waits so long."""
SERVERS = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/opt/homebrew/opt").glob("postgresql*/bin")]


def wait_for(found: Callable[[], Any]) -> Any:
    """The first true value that `found` gives."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE:g} s")


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Ctrl-C reaches commands that tests start, though it is ignored where the tests are run with `nohup … &`."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a database on a private server, on a free loopback port."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    found = shutil.which("initdb") or next((str(folder / "initdb") for folder in sorted(SERVERS)), None)
    if found is None:
        pytest.skip("no PostgreSQL server is installed here (no initdb)")
    as_user, user = [], pwd.getpwuid(os.geteuid()).pw_name
    if user == "root":  # PostgreSQL refuses to run as root
        if not shutil.which("runuser") or "postgres" not in {entry.pw_name for entry in pwd.getpwall()}:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres or no runuser")
        as_user, user = ["runuser", "-u", "postgres", "--"], "postgres"
    folder = Path(tempfile.mkdtemp(prefix="harness-postgresql-"))
    shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    control = [*as_user, str(Path(found).with_name("pg_ctl")), "-D", str(folder / "data"), "-w", "-s"]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"

    def run(*words: str) -> None:
        subprocess.run(words, cwd=folder, check=True, capture_output=True)

    run(*as_user, found, "-D", str(folder / "data"), "-U", "harness", "-A", "trust", "-N")
    run(*control, "-o", options, "-l", str(folder / "log"), "start")
    try:
        yield f"postgresql://harness:secret@127.0.0.1:{port}/postgres"
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def empty_postgresql(postgresql: str) -> str:
    """URL of an empty database."""
    import psycopg

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return postgresql

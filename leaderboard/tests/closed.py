"""A small closed suite with figures that can be worked out by hand: 2 tasks of 10 queries, 3 seeds.

                 task one by seed     task two by seed     mean over tasks, by seed
dpr, control     .30  .32  .34        .50  .50  .50        .40  .41  .42
margin-mse       .42  .42  .42        .60  .60  .60        .51  .51  .51
lead             .32 ± .10 by query   .50, seed 2 failed   none
cascade, ceiling .52                  .70                  .61
dense, untrained .10                  .20                  .15
"""

import math
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from harness.store.records import Evaluation, TaskRecord

QUERIES = 10
STEPS = 450
PLACE = {"division": "closed", "suite": "closed-tiny"}
CEILING = {"base": {"plugin": "bm25", "config": {}}, "teacher": {"plugin": "mpnet", "config": {}}}


def curve(seed: int, floor: float) -> list[float]:
    """A loss that falls from 2 + floor, with a bump that differs by seed."""
    return [floor + 2 * math.exp(-step / 90) + 0.1 * math.sin(step / 9 + seed) for step in range(STEPS)]


def training(name: str, seed: int, **changes: Any) -> Mapping[str, Any]:
    """As the runner keeps it."""
    usual = {
        "lesson": f"{name}-{seed}",
        "student": "pip:tiny-bert",
        "teachers": [] if name == "dpr" else ["mpnet"],
        "tasks": ["one", "two"],
        "candidates": "5d" * 32,
        "account": {"steps": STEPS, "examples": 16 * STEPS, "seconds": 170.0 + seed},
        "curves": {"warm up": curve(seed, 0.5)[:40], "distil": curve(seed, 0.25)},
    }
    return usual | changes


def tasks(factory: ModuleType) -> tuple[TaskRecord, TaskRecord]:
    """The suite's tasks."""
    return factory.task("one", queries=QUERIES), factory.task("two", queries=QUERIES)


def suite(factory: ModuleType) -> list[Evaluation]:
    """All evaluations of it."""
    one, two = tasks(factory)
    wave = [0.22, 0.42] * (QUERIES // 2)
    found = [
        *trained(factory, "dpr", one, [[0.30] * QUERIES, [0.32] * QUERIES, [0.34] * QUERIES], role="control"),
        *trained(factory, "dpr", two, [[0.50] * QUERIES] * 3, role="control"),
        *trained(factory, "margin-mse", one, [[0.42] * QUERIES] * 3),
        *trained(factory, "margin-mse", two, [[0.60] * QUERIES] * 3),
        *trained(factory, "lead", one, [wave] * 3),
        *trained(factory, "lead", two, [[0.50] * QUERIES] * 3),
    ]
    found[-1] = factory.failed(found[-1])
    for on, ceiling, untrained in ((one, 0.52, 0.10), (two, 0.70, 0.20)):
        found += [
            of_role(factory, "cascade", on, ceiling, role="ceiling", config=CEILING),
            of_role(factory, "dense", on, untrained, role="untrained"),
        ]
    return found


def trained(factory: ModuleType, name: str, on: TaskRecord, values: list[list[float]], **fields: Any):
    """A distiller's evaluations on a task, one a seed; the first asked the teacher, the others found its answers."""
    method = factory.method(name, kind="distiller")
    return [
        factory.evaluation(
            of=method,
            on=on,
            values=by_query,
            seed=seed,
            training=training(name, seed),
            cost={
                "index_bytes": 2e6,
                "query_p50_ms": 3.0 + seed,
                "parameters": 4.4e6,
                "teacher_calls": 0.0 if on.name == "two" or name == "dpr" else 900.0,
                "teacher_answers_stored": 100.0,
                "teacher_seconds": 30.0,
            },
            **PLACE,
            **fields,
        )
        for seed, by_query in enumerate(values)
    ]


def of_role(factory: ModuleType, name: str, on: TaskRecord, value: float, **fields: Any) -> Evaluation:
    """One evaluation of what is not trained in the suite."""
    return factory.evaluation(of=factory.method(name), on=on, values=[value] * QUERIES, **PLACE, **fields)

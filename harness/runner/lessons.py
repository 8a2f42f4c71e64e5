"""How a distiller is run: its lesson, the folder that outlives the process, and what the training cost and left."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.build import Builder
from harness.card import Use
from harness.config import as_json
from harness.contracts import Lesson, Retriever, Task
from harness.data.joined import training
from harness.nn.checkpoint import trained_folder
from harness.runner.clock import Costs
from harness.runner.plan import Work
from harness.signals.teacher import RememberingTeacher, remember
from harness.store.files import whole

COSTS = "costs.json"
"""What a training cost, in its folder; there once it is over."""
RECORD = "record.json"
"""What a training says of itself, in its folder; written by `harness.nn.course`."""


@dataclass
class Teachers:
    """The teachers of one distillation, each answering from the signal store what it was asked before."""

    limit: int | None
    """Most questions that may be put to each."""
    outermost: list[RememberingTeacher] = field(default_factory=list[RememberingTeacher])
    """Those that stand in no other teacher: their accounts include what stands in them."""

    def remember(self, use: Use, teacher: Any, outermost: bool) -> RememberingTeacher:
        """The teacher, remembering."""
        description = {"plugin": use.name, "config": as_json(use.config)}
        seen = remember(teacher, description, self.limit if outermost else None)
        if outermost:
            self.outermost.append(seen)
        return seen

    def costs(self) -> dict[str, float]:
        """Questions, seconds, and answers that were there already."""
        accounts = [teacher.account for teacher in self.outermost]
        return {
            "teacher_calls": float(sum(account.calls for account in accounts)),
            "teacher_seconds": sum(account.seconds for account in accounts),
            "teacher_answers_stored": float(sum(account.stored for account in accounts)),
        }


def distil(work: Work, tasks: Sequence[Task], builder: Builder, teachers: Teachers, costs: Costs) -> Retriever:
    """The trained retriever; one that was trained before, for another task, is taken from its folder.

    Args:
        work: what to do.
        tasks: those that it trains on.
        builder: builds its plugins.
        teachers: what the builder sees teachers through.
        costs: where build time and the training's costs are added.
    """
    folder = trained_folder(work.lesson)
    folder.mkdir(parents=True, exist_ok=True)
    method = work.method
    with costs.timed("build"):
        built = builder.build(method.use, folder)
        teacher = builder.build(method.teacher) if method.teacher else None
    data = training(tasks)
    lesson = Lesson(
        student=method.student,
        teacher=teacher,
        corpus=data.corpus,
        examples=data.examples,
        budget=method.budget,
        candidates=method.candidates,
    )
    own = Costs()
    with own.timed("train"):
        student = built.distil(lesson)
    costs.values |= _costs(folder, own, teachers)
    return student


def _costs(folder: Path, own: Costs, teachers: Teachers) -> Mapping[str, float]:
    """What the training cost when it was done; one that was stopped in between has its earlier steps counted too."""
    file = folder / COSTS
    if file.exists():
        return json.loads(file.read_text())
    asked = teachers.costs() if teachers.outermost else {}
    seconds = own.values["train_seconds"] - asked.get("teacher_seconds", 0.0)
    steps = _read(folder).get("account", {}).get("seconds", 0.0)
    found = {"train_seconds": max(seconds, steps), **asked}
    with whole(file) as part:
        part.write_text(json.dumps(found))
    return found


def record(work: Work) -> dict[str, Any]:
    """What is stored of a training with each evaluation of its student."""
    if not work.lesson:
        return {}
    method = work.method
    teachers = [method.teacher.name] if method.teacher else []
    said = {"lesson": work.lesson, "student": method.student, "teachers": teachers, "tasks": list(method.train_on)}
    limits = {name: value for name, value in asdict(method.budget).items() if value is not None}
    return said | {"budget": limits} | _read(trained_folder(work.lesson))


def _read(folder: Path) -> dict[str, Any]:
    file = folder / RECORD
    return json.loads(file.read_text()) if file.exists() else {}

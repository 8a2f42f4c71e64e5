"""How the students of a method were trained: what each training was given, and what it took."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from harness.store.records import Evaluation
from harness_leaderboard.numbers import plain

FACTS = ("student", "teachers", "tasks", "candidates")
"""What a training was given, as an evaluation keeps it."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One training; evaluations on several tasks may be of the same student."""

    id: str
    """As stored; empty if the training has no name, and is then of one evaluation."""
    seed: int
    """Where its chance came from."""
    evaluations: tuple[Evaluation, ...]
    """Of the student that it made."""

    @property
    def training(self) -> Mapping[str, Any]:
        """As the first evaluation keeps it."""
        return self.evaluations[0].training

    @property
    def facts(self) -> Mapping[str, str]:
        """What it was given, by the names of `FACTS`; empty where that isn't known."""
        return {name: plain(self.training.get(name, "")) for name in FACTS}

    def used(self, name: str) -> float | None:
        """An amount of its account: `steps`, `examples` or `seconds`."""
        account = self.training.get("account")
        value = number(account.get(name)) if isinstance(account, Mapping) else None
        return self.cost("train_seconds") if value is None and name == "seconds" else value

    def cost(self, name: str) -> float | None:
        """A cost of the training; an evaluation that found the student trained already tells less, never more."""
        values = [evaluation.cost[name] for evaluation in self.evaluations if name in evaluation.cost]
        return max(values, default=None)


def lessons_of(evaluations: Iterable[Evaluation]) -> list[Lesson]:
    """The trainings behind these evaluations, by seed; what was not trained has none."""
    found: dict[tuple[int, str, str], list[Evaluation]] = {}
    for evaluation in sorted(evaluations, key=lambda evaluation: evaluation.id):
        if evaluation.training or "train_seconds" in evaluation.cost:
            id = plain(evaluation.training.get("lesson", ""))
            found.setdefault((evaluation.seed, id, "" if id else evaluation.id), []).append(evaluation)
    return [Lesson(id=key[1], seed=key[0], evaluations=tuple(found[key])) for key in sorted(found)]


def spent(lessons: Sequence[Lesson]) -> dict[str, float]:
    """What one training cost, mean over the trainings; what is not known of every one is absent."""
    each: dict[str, list[float | None]] = {
        "train_seconds": [lesson.used("seconds") for lesson in lessons],
        "train_steps": [lesson.used("steps") for lesson in lessons],
    }
    for name in ("teacher_calls", "teacher_answers_stored", "teacher_seconds"):
        each[name] = [lesson.cost(name) for lesson in lessons]
    known = {name: [value for value in values if value is not None] for name, values in each.items()}
    return {name: fmean(values) for name, values in known.items() if values and len(values) == len(lessons)}


def number(value: Any) -> float | None:
    """The value if it is a finite number; a training is foreign and may hold anything."""
    plain_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain_number and math.isfinite(value) else None

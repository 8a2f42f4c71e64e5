"""What a method's page says of how its students were trained."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness_leaderboard.curves import Chart, charts
from harness_leaderboard.lessons import Lesson, lessons_of
from harness_leaderboard.model import Result
from harness_leaderboard.public import publish
from harness_leaderboard.sections import Section


@dataclass(frozen=True, kw_only=True)
class Training:
    """The trainings behind a method's results in one section."""

    section: Section
    """The section."""
    lessons: Sequence[Lesson]
    """By seed."""
    charts: Sequence[Chart]
    """One a stage."""
    trials: Sequence[Mapping[str, Any]]
    """What was tried before, each once."""


def training(section: Section, results: Sequence[Result]) -> Training | None:
    """The trainings of these results; None if the method was not trained, or nothing is told of it."""
    lessons = [
        lesson
        for lesson in lessons_of(evaluation for result in results for evaluation in result.evaluations)
        if lesson.training
    ]
    if not lessons:
        return None
    told = [publish(lesson.training.get("trials")) for lesson in lessons]
    trials = {json.dumps(found, sort_keys=True): found for found in told if found and isinstance(found, Mapping)}
    return Training(section=section, lessons=lessons, charts=charts(lessons), trials=list(trials.values()))

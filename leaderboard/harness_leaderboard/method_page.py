"""What stands on a method's page: its card, its results, and how each figure was made."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.store.records import Evaluation
from harness_leaderboard.board import COSTS
from harness_leaderboard.cards import claims, knobs, results_of
from harness_leaderboard.catalogue import method_key, task_key
from harness_leaderboard.model import Method, Result
from harness_leaderboard.public import publish
from harness_leaderboard.sections import Board, Section
from harness_leaderboard.task_page import measures_of
from harness_leaderboard.training import training


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A device and environment that some of the evaluations share."""

    number: int
    """From 1, in the order of the evaluations."""
    device: str
    """Name of the device."""
    calibration: Mapping[str, float]
    """Its measured rates."""
    environment: Mapping[str, Any]
    """Packages, system, processor …"""


@dataclass(frozen=True, kw_only=True)
class Results:
    """The method's results in one section."""

    section: Section
    """The section."""
    results: Sequence[Result]
    """One a task."""
    measures: Sequence[str]
    """Columns."""
    costs: Sequence[str]
    """Columns of the cost table."""


def content(board: Board, method: Method) -> dict[str, Any]:
    """What the template is filled with."""
    own = [evaluation for evaluation in board.evaluations if method_key(evaluation) == method.key]
    shown = sorted((evaluation for evaluation in own if evaluation.id in board.shown), key=_order)
    places = results_of(board, method)
    settings = _settings(shown)
    tasks = {task.key: task for task in board.tasks}
    return {
        "method": method,
        "card": method.record.card,
        "knobs": knobs(method),
        "claims": claims(method, places),
        "places": [_results(section, results) for section, results in places],
        "trainings": [found for section, results in places if (found := training(section, results))],
        "shown": shown,
        "settings": list(settings.values()),
        "setting_of": {evaluation.id: settings[_setting_key(evaluation)] for evaluation in shown},
        "codes": sorted({evaluation.method.implementation for evaluation in shown}),
        "checkpoints": sorted({pair for evaluation in shown for pair in evaluation.checkpoints.items()}),
        "replaced": [found for found in own if found.state == "done" and found.id not in board.shown],
        "failed": [found for found in own if found.state == "failed"],
        "task_of": {evaluation.id: tasks[task_key(evaluation)] for evaluation in own},
    }


def _order(evaluation: Evaluation) -> tuple[str, str, str, str, int, str]:
    task = evaluation.task
    return evaluation.division, evaluation.suite, task.name, task.split, evaluation.seed, evaluation.id


def _results(section: Section, results: Sequence[Result]) -> Results:
    measures = dict.fromkeys(name for result in results for name in measures_of(result.task, [result]))
    costs = {name for result in results for evaluation in result.evaluations for name in evaluation.cost}
    ordered = [*(name for name in COSTS if name in costs), *sorted(costs - set(COSTS))]
    return Results(section=section, results=results, measures=list(measures), costs=ordered)


def _setting_key(evaluation: Evaluation) -> str:
    return json.dumps(
        [evaluation.device, dict(evaluation.calibration), publish(evaluation.environment)], sort_keys=True
    )


def _settings(evaluations: Sequence[Evaluation]) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for evaluation in evaluations:
        key = _setting_key(evaluation)
        if key not in found:
            found[key] = Setting(
                number=len(found) + 1,
                device=evaluation.device,
                calibration=publish(evaluation.calibration),
                environment=publish(evaluation.environment),
            )
    return found

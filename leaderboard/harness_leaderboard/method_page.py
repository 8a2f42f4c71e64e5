"""What stands on a method's page: its card, its results, and how each figure was made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.store.records import Evaluation
from harness_leaderboard.ablations import ablations
from harness_leaderboard.board import COSTS
from harness_leaderboard.cards import claims, knobs, results_of
from harness_leaderboard.catalogue import task_key
from harness_leaderboard.evaluation_pages import parts
from harness_leaderboard.json_files import File
from harness_leaderboard.model import Method, Result
from harness_leaderboard.model_card import model_card
from harness_leaderboard.options import Options
from harness_leaderboard.public import publish
from harness_leaderboard.published import Published
from harness_leaderboard.render import Renderer
from harness_leaderboard.sections import Board, Section
from harness_leaderboard.slices import Slice
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


def files(board: Board, render: Renderer) -> Iterator[File]:
    """The page of each method, and further ones where it has very many evaluations."""
    for method in board.methods:
        first, *others = parts(board, method)
        yield render(method.page, "method", **content(board, method, render), **_told(board, first, render))
        for part in others:
            yield render(part.page, "method_further", method=method, **_told(board, part, render))


def content(board: Board, method: Method, render: Renderer) -> dict[str, Any]:
    """What the template is filled with, the evaluations one by one apart."""
    shown = [evaluation for part in parts(board, method) for evaluation in part.rows if evaluation.id in board.shown]
    places = results_of(board, method)
    return {
        "method": method,
        "card": method.record.card,
        "knobs": knobs(method),
        "claims": claims(method, places),
        "places": [_results(section, results, render.options) for section, results in places],
        "trainings": [found for section, results in places if (found := training(section, results))],
        "ablations": ablations(board, method),
        "model_card": model_card(shown),
        "codes": sorted({evaluation.method.implementation for evaluation in shown}),
        "checkpoints": sorted({pair for evaluation in shown for pair in evaluation.checkpoints.items()}),
    }


def _told(board: Board, part: Slice[Evaluation], render: Renderer) -> dict[str, Any]:
    """What is told of each of these evaluations."""
    shown = [evaluation for evaluation in part.rows if evaluation.id in board.shown]
    settings = _settings(shown, render.published)
    return {
        "part": part,
        "shown": shown,
        "replaced": [found for found in part.rows if found.state == "done" and found.id not in board.shown],
        "failed": [found for found in part.rows if found.state == "failed"],
        "settings": list(settings.values()),
        "setting_of": {evaluation.id: settings[_setting_key(evaluation, render.published)] for evaluation in shown},
        "task_of": {evaluation.id: board.column_of[task_key(evaluation)] for evaluation in part.rows},
        "run_of": render.runs,
    }


def _results(section: Section, results: Sequence[Result], options: Options) -> Results:
    measures = dict.fromkeys(name for result in results for name in measures_of(result.task, [result], options))
    costs = {name for result in results for evaluation in result.evaluations for name in evaluation.cost}
    ordered = [*(name for name in COSTS if name in costs), *sorted(costs - set(COSTS))]
    return Results(section=section, results=results, measures=list(measures), costs=ordered)


def _setting_key(evaluation: Evaluation, published: Published) -> tuple[str, str]:
    return published.devices.digest(evaluation), published.environments.digest(evaluation)


def _settings(evaluations: Sequence[Evaluation], published: Published) -> dict[tuple[str, str], Setting]:
    found: dict[tuple[str, str], Setting] = {}
    for evaluation in evaluations:
        key = _setting_key(evaluation, published)
        if key not in found:
            found[key] = Setting(
                number=len(found) + 1,
                device=evaluation.device,
                calibration=publish(evaluation.calibration),
                environment=publish(evaluation.environment),
            )
    return found

"""Who is compared on the cost page: the methods of a section that ran in one setting of one device."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from harness.store.records import Evaluation
from harness_leaderboard.lessons import lessons_of, spent
from harness_leaderboard.model import Method, Result
from harness_leaderboard.pareto import Offer
from harness_leaderboard.sections import Row, Section
from harness_leaderboard.settings import DeviceSetting

USE = {"query_p50_ms": median, "index_bytes": sum, "parameters": max}
"""Costs of use, and how one figure is made of those of all tasks."""
TRAINING = ("train_seconds", "teacher_seconds", "teacher_answers")
"""Costs of one training."""
COSTS = (*USE, *TRAINING)
"""What quality is held against, in the order of the charts."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A method with its figures in one section and setting."""

    method: Method
    """The method."""
    qualities: Mapping[str, float]
    """By task key: the task's main measure."""
    mean: float | None
    """Over all tasks of the section; None unless all ran in this setting."""
    by_task: Mapping[str, Mapping[str, float]]
    """Task key → cost → value; what was not measured is absent."""
    costs: Mapping[str, float]
    """Over all tasks; empty without a mean."""


def contenders(section: Section, setting: DeviceSetting) -> list[Contender]:
    """The methods that have at least one task in this setting, in the section's order."""
    found = (_contender(section, setting, row) for row in section.rows)
    return [contender for contender in found if contender.qualities]


def offers(found: Iterable[Contender], cost: str, task: str | None = None) -> dict[str, Offer]:
    """What is known of one cost, by the method's page.

    Args:
        found: those to compare.
        cost: name of the cost.
        task: key of a task; None for the mean over all of them.
    """
    known: dict[str, Offer] = {}
    for one in found:
        quality = one.mean if task is None else one.qualities.get(task)
        price = (one.costs if task is None else one.by_task.get(task, {})).get(cost)
        if quality is not None and price is not None:
            known[one.method.page] = Offer(quality, price)
    return known


def _contender(section: Section, setting: DeviceSetting, row: Row) -> Contender:
    results = {
        key: standing.result
        for key, standing in row.standings.items()
        if all(evaluation.id in setting.evaluations for evaluation in standing.result.evaluations)
    }
    qualities = {key: row.standings[key].value for key in results}
    by_task = {key: _costs([result]) for key, result in results.items()}
    complete = bool(section.tasks) and len(results) == len(section.tasks)
    return Contender(
        method=row.method,
        qualities=qualities,
        mean=fmean(qualities.values()) if complete else None,
        by_task=by_task,
        costs=_costs(list(results.values())) if complete else {},
    )


def _costs(results: Sequence[Result]) -> dict[str, float]:
    """What all these results have of each cost."""
    found: dict[str, float] = {}
    for name, combine in USE.items():
        values = [value for result in results if (value := result.cost(name)) is not None]
        if values and len(values) == len(results):
            found[name] = float(combine(values))
    return found | _training([evaluation for result in results for evaluation in result.evaluations])


def _training(evaluations: Sequence[Evaluation]) -> dict[str, float]:
    """What one training cost.

    Answers are counted whether they were asked for or found: it must not matter who came first. A training on labels
    alone asked for nothing.
    """
    found = spent(lessons_of(evaluations))
    if all(evaluation.training and not evaluation.training.get("teachers") for evaluation in evaluations):
        found |= {"teacher_seconds": 0.0, "teacher_answers": 0.0}
    elif "teacher_calls" in found:
        found["teacher_answers"] = found["teacher_calls"] + found.get("teacher_answers_stored", 0.0)
    return {name: found[name] for name in TRAINING if name in found}

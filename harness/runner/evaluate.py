"""One evaluation, top to bottom: build, index, search, check, score, measure the cost, leave the run."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.build import Builder
from harness.contracts import Retriever, Task
from harness.errors import ContractError, ScoreError
from harness.nn.batches import halvings
from harness.plugins import Registry
from harness.records import Query, Run
from harness.runner import lessons
from harness.runner.clock import Costs
from harness.runner.indexes import Indexes
from harness.runner.plan import Work
from harness.scoring import cost, exclude, measures, order, strict

DEPTH = 1000
"""Documents retrieved a query, as in TREC."""

STANDARD = ("nDCG@10", "RR@10", "AP", "R@100", "R@1000", "P@10", "Success@1", "Judged@10")
"""Scored for every task, beside the task's own measures."""

LATENCY_QUERIES = 50
LATENCY_SECONDS = 20.0
"""Single queries are timed until one of these is reached."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an evaluation found, before it is stored."""

    run: Run
    """The checked and ordered run."""
    per_query: Mapping[str, tuple[float, ...]]
    """Values by measure, one a query of the split."""
    cost: Mapping[str, float]
    """See `harness.store.records.Evaluation.cost`."""


def evaluate(
    work: Work,
    task: Task,
    builder: Builder,
    indexes: Indexes,
    extra: Mapping[str, Any],
    trains_on: Sequence[Task] = (),
) -> Outcome:
    """Do the work on an opened task.

    Args:
        work: what to do.
        task: the task it names.
        builder: builds its plugins on the leased device.
        indexes: where indexes that were made before are.
        trains_on: for a distiller: the tasks whose training data it gets; none: this task's.
        extra: measures that plugins add, by name.

    Raises:
        ContractError: the method returned something its contract forbids.
    """
    costs = Costs()
    cost.reset_peak_memory()
    with halvings() as halved:
        retriever = _make(work, trains_on or (task,), builder, indexes, costs)
        indexes.ready(retriever, task.corpus(), builder.folder / "index", costs)
        found = searched(work, task, retriever, costs)
        per_query = scored(found, task, work.split, extra)
        _latency(retriever, task.queries(work.split), costs)
    if halved:
        costs.values["batches_halved"] = float(len(halved))
    costs.values["peak_memory_bytes"] = max(costs.values["peak_memory_bytes"], float(cost.peak_memory_bytes()))
    if (parameters := getattr(retriever, "parameters", None)) is not None:
        costs.values["parameters"] = float(parameters)
    return Outcome(run=found, per_query=per_query, cost=costs.values)


def scored(run: Run, task: Task, split: str, extra: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    """Values by query of the task's measures, the standard ones and those that plugins add."""
    names = tuple(dict.fromkeys((*task.facts.measures, *STANDARD, *extra)))
    values = measures.score(run, task.qrels(split), task.corpus(), names, extra)
    return {name: tuple(map(float, array)) for name, array in values.items()}


def added_measures(registry: Registry) -> dict[str, Any]:
    """Measures that plugins add, by name."""
    return {name: measure for found in registry.manager.hook.harness_measures() for name, measure in found.items()}


def _make(work: Work, trains_on: Sequence[Task], builder: Builder, indexes: Indexes, costs: Costs) -> Retriever:
    """The retriever: built, or distilled first."""
    if work.method.use.kind == "distiller":
        teachers = lessons.Teachers(work.method.budget.teacher_calls)
        return lessons.distil(work, trains_on, replace(builder, remember=teachers.remember), teachers, costs)
    with costs.timed("build"):
        return builder.build(work.method.use, indexes.unfinished)


def searched(work: Work, task: Task, retriever: Retriever, costs: Costs) -> Run:
    """The checked run under the one tie rule, of what the task lets be retrieved.

    Raises:
        ContractError: what the retriever returned is no run that can be scored.
    """
    corpus, queries = task.corpus(), task.queries(work.split)
    candidates: Run | None = getattr(task, "candidates", lambda _: None)(work.split)
    wanted = len(corpus) if candidates else DEPTH + (1 if task.facts.exclude_self else 0)
    depth = min(wanted, len(corpus))
    with costs.timed("search"):
        run = retriever.search(queries, depth)
    try:
        strict.check_run(run, [query.id for query in queries], len(corpus), depth)
    except ScoreError as error:
        raise ContractError(f"{work.method.use.name} returned a run that can't be scored: {error}") from error
    run = order.ordered(run, corpus.id_rank)
    if candidates:
        run = exclude.all_but(run, candidates)
    if task.facts.exclude_self:
        run = exclude.without_self(run, corpus, DEPTH)
    return run


def _latency(retriever: Retriever, queries: Sequence[Query], costs: Costs) -> None:
    """Seconds of single queries, one after the other, at depth 10."""
    seconds: list[float] = []
    for query in queries[:LATENCY_QUERIES]:
        start = time.perf_counter()
        retriever.search([query], 10)
        seconds.append(time.perf_counter() - start)
        if sum(seconds) > LATENCY_SECONDS:
            break
    costs.values |= cost.latency(np.array(seconds))
    costs.values["latency_queries"] = float(len(seconds))

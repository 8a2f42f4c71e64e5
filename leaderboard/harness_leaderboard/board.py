"""Evaluations → the board: who is compared with whom, and which evaluations the figures are made of."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from statistics import fmean, median, stdev
from typing import NamedTuple

from harness.store.records import Evaluation
from harness_leaderboard.ahead import ahead
from harness_leaderboard.catalogue import age, method_key, methods_of, task_key, task_order, tasks_of
from harness_leaderboard.external import apart, external
from harness_leaderboard.labels import Key
from harness_leaderboard.model import Method, Result, Task
from harness_leaderboard.public import slug, unique
from harness_leaderboard.ranking import Field, Means, field, levels, rank, shares_beaten
from harness_leaderboard.sections import Board, Levels, Row, Section, Standing

Place = tuple[str, str]
"""Division and suite."""
Cell = tuple[Key, str]
"""Method key and task key."""

COSTS = {"index_seconds": sum, "query_p50_ms": median, "index_bytes": sum, "parameters": max}
"""Costs in the overview, and how one figure is made of those of all tasks."""


def assemble(evaluations: Iterable[Evaluation], day: date, title: str) -> Board:
    """The board of these evaluations, whatever order they come in."""
    known, others = apart(evaluations)
    tasks, methods = tasks_of(known), methods_of(known)
    cells: dict[Place, dict[Cell, list[Evaluation]]] = defaultdict(lambda: defaultdict(list))
    for evaluation in known:
        cell = (method_key(evaluation), task_key(evaluation))
        cells[evaluation.division, evaluation.suite][cell].append(evaluation)
    results = {where: _results(cells[where], methods, tasks) for where in sorted(cells)}
    anchors = unique(slug("-".join(where)) for where in results)
    pages = unique(slug(suite) for _, suite in results)
    counted = [result for found in results.values() for result in found.values()]
    return Board(
        title=title,
        day=day,
        sections=tuple(
            _section(where, (anchor, page), found, cells[where], methods)
            for anchor, page, (where, found) in zip(anchors, pages, results.items(), strict=True)
        ),
        methods=tuple(sorted(methods.values(), key=lambda method: (method.label, method.key))),
        tasks=tuple(sorted(tasks.values(), key=task_order)),
        evaluations=known,
        shown=frozenset(evaluation.id for result in counted for evaluation in result.evaluations),
        external=external(others, tasks),
    )


def _results(
    cells: Mapping[Cell, list[Evaluation]], methods: Mapping[Key, Method], tasks: Mapping[str, Task]
) -> dict[Cell, Result]:
    found: dict[Cell, Result] = {}
    for key, task in cells:
        if current := _current(cells[key, task]):
            found[key, task] = Result(method=methods[key], task=tasks[task], evaluations=current)
    return found


def _current(evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    """Those that count: done, and all of the newest code and checkpoints: runs of different code are no replicates."""
    done = sorted((evaluation for evaluation in evaluations if evaluation.state == "done"), key=age)
    if not done:
        return ()
    newest = done[-1]
    same = [found for found in done if _code(found) == _code(newest)]
    by_seed = {evaluation.seed: evaluation for evaluation in same}
    return tuple(by_seed[seed] for seed in sorted(by_seed))


def _code(evaluation: Evaluation) -> tuple[str, dict[str, str]]:
    return evaluation.method.implementation, dict(evaluation.checkpoints)


class _Ranked(NamedTuple):
    """All tasks of a section."""

    standings: Mapping[Key, Mapping[str, Standing]]
    """Method key → task key → place."""
    beaten: Mapping[Key, Sequence[float]]
    """Method key → for each task on which there are others, the share of them that it beats."""
    groups: Mapping[Key, int]
    """Rank groups of the means over tasks."""
    levels: Mapping[str, Levels]
    """Task key → what methods reach on each query."""


def _compared(results: Sequence[Result]) -> tuple[Field, list[Standing]]:
    found = field(results)
    return found, rank(found)


def _ranked(columns: Sequence[tuple[Task, Sequence[Result]]], complete: set[Key]) -> _Ranked:
    """One task after the other, so that the values by query of a few have to be held at a time."""
    standings: dict[Key, dict[str, Standing]] = defaultdict(dict)
    beaten: dict[Key, list[float]] = defaultdict(list)
    queries: dict[str, Levels] = {}
    means = Means(complete, [len(task.record.query_ids) for task, _ in columns])
    compared = ahead(_compared, [results for _, results in columns])
    for (task, _), (found, ranked) in zip(columns, compared, strict=True):
        means.add(found)
        if (reached := levels(found)) is not None:
            queries[task.key] = reached
        for standing in ranked:
            standings[standing.result.method.key][task.key] = standing
        for key, share in shares_beaten(ranked).items():
            beaten[key].append(share)
    return _Ranked(standings, beaten, means.groups(), queries)


def _section(
    where: Place,
    names: tuple[str, str],
    results: Mapping[Cell, Result],
    cells: Mapping[Cell, list[Evaluation]],
    methods: Mapping[Key, Method],
) -> Section:
    by_task: dict[str, list[Result]] = defaultdict(list)
    for result in results.values():
        by_task[result.task.key].append(result)
    tasks = sorted((found[0].task for found in by_task.values()), key=task_order)
    complete = _complete(results, len(tasks))
    ranked = _ranked([(task, by_task[task.key]) for task in tasks], complete)
    failed: dict[Key, set[str]] = defaultdict(set)
    for key, task in cells.keys() - results.keys():
        failed[key].add(task)
    rows = [_row(methods[key], ranked, failed[key], key in complete) for key in sorted({key for key, _ in cells})]
    division, suite = where
    anchor, page = names
    return Section(
        title=f"{division.capitalize()} division" + (f": {suite}" if suite else ""),
        anchor=anchor,
        division=division,
        suite=suite,
        page=f"suites/{page}.html" if division == "closed" and suite else "",
        tasks=tuple(tasks),
        rows=tuple(sorted(rows, key=_row_order)),
        levels=ranked.levels,
    )


def _complete(results: Mapping[Cell, Result], tasks: int) -> set[Key]:
    """Methods that have the main measure of every task."""
    counts = Counter(key for (key, _), result in results.items() if result.value(result.task.main) is not None)
    return {key for key, count in counts.items() if count == tasks}


def _row_order(row: Row) -> tuple[bool, float, int, str, Key]:
    return row.mean is None, -(row.mean or 0.0), -len(row.standings), row.method.label, row.method.key


def _row(method: Method, ranked: _Ranked, failed: set[str], complete: bool) -> Row:
    standings = ranked.standings.get(method.key, {})
    results = [standing.result for standing in standings.values()]
    beaten = ranked.beaten.get(method.key)
    return Row(
        method=method,
        standings=standings,
        failed=frozenset(failed),
        mean=fmean(standing.value for standing in standings.values()) if complete else None,
        spread=spread_of_means(results) if complete else None,
        borda=fmean(beaten) if complete and beaten else None,
        group=ranked.groups.get(method.key),
        cost=_cost(results) if complete else {},
        devices=tuple(sorted({evaluation.device for result in results for evaluation in result.evaluations})),
    )


def spread_of_means(results: Sequence[Result]) -> float | None:
    """Deviation of the mean over tasks between seeds; None unless all tasks have the same seeds, two or more."""
    seeds = {tuple(evaluation.seed for evaluation in result.evaluations) for result in results}
    if len(seeds) != 1 or len(next(iter(seeds))) < 2:
        return None
    columns = zip(*(result.evaluations for result in results), strict=True)
    mains = [result.task.main for result in results]
    return stdev(
        fmean(evaluation.measures[main] for evaluation, main in zip(column, mains, strict=True)) for column in columns
    )


def _cost(results: Sequence[Result]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, combine in COSTS.items():
        values = [value for result in results if (value := result.cost(name)) is not None]
        if values and len(values) == len(results):
            found[name] = float(combine(values))
    return found

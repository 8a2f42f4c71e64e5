"""Stored evaluations as files that other programs read."""

import csv
from pathlib import Path
from typing import Any

from harness.adapters.mteb_results import SCORES
from harness.errors import MissingExtra, StoreError
from harness.store import Store
from harness.store.records import Evaluation


def write_trec(store: Store, evaluation: Evaluation, path: Path) -> None:
    """Write the run as a TREC run file; its tag is the method's name and the evaluation's id.

    Raises:
        StoreError: if it left no run, or the run's file is not as it was stored.
        DataError: if an id holds white space.
    """
    from harness.data.runfile import open_run_file
    from harness.data.trec import write_run

    runs = [artefact for artefact in evaluation.artefacts if artefact.name == "run"]
    if not runs:
        raise StoreError(
            f"evaluation {evaluation.id} left no run (state: {evaluation.state}); expected one that is done"
        )
    run, documents = open_run_file(store.checked_path(runs[0]))
    write_run(run, documents, path, f"{evaluation.method.name}-{evaluation.id}")


def write_json(_: Store, evaluation: Evaluation, path: Path) -> None:
    """Write all but the run."""
    from harness.cli.evaluation import as_everything
    from harness.cli.options import as_json_text

    path.write_text(as_json_text(as_everything(evaluation)) + "\n", encoding="utf-8")


def write_per_query(_: Store, evaluation: Evaluation, path: Path) -> None:
    """Write a CSV file: the query's id, then its value of each measure, as exact as stored."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["query", *evaluation.per_query])
        writer.writerows(zip(evaluation.task.query_ids, *evaluation.per_query.values(), strict=True))


def write_mteb(_: Store, evaluation: Evaluation, path: Path) -> None:
    """Write the scores as mteb's `TaskResult`; those that mteb has a name for.

    Raises:
        StoreError: if it is no done evaluation of a task of the installed mteb, of the same revision, with mteb's main
            score among its measures.
        MissingExtra: if mteb is not installed.
    """
    name, subset = _mteb_task(evaluation)
    try:
        import mteb
        from mteb.results import TaskResult
    except ImportError as error:
        raise MissingExtra("an mteb result file is written by mteb itself: pip install mteb") from error
    try:
        task = mteb.get_task(name)
    except KeyError as error:
        raise StoreError(f"the installed mteb has no task {name!r}; expected the one that was evaluated") from error
    scores = _mteb_scores(evaluation)
    _check_mteb(evaluation, task, scores)
    seconds = (evaluation.finished - evaluation.started).total_seconds()
    named = scores | {"main_score": scores[task.metadata.main_score]}
    result = TaskResult.from_task_results(
        task, {evaluation.task.split: {subset: named}}, evaluation_time=seconds, date=evaluation.finished
    )
    result.to_disk(path)


def _mteb_task(evaluation: Evaluation) -> tuple[str, str]:
    """The task's name in mteb, and the subset, from `mteb:TASK/SUBSET@SPLIT`."""
    family, _, rest = evaluation.task.name.partition(":")
    if family != "mteb" or evaluation.state != "done":
        raise StoreError(
            f"evaluation {evaluation.id} is of {evaluation.task.name} and {evaluation.state}; "
            "expected one of a task mteb:NAME that is done"
        )
    name, _, subset = rest.partition("@")[0].partition("/")
    return name, subset or "default"


def _mteb_scores(evaluation: Evaluation) -> dict[str, float]:
    scores: dict[str, float] = {}
    for measure, mean in evaluation.measures.items():
        name, _, depth = measure.partition("@")
        if name in SCORES and depth.isdigit():
            scores[f"{SCORES[name]}_at_{depth}"] = mean
    return scores


def _check_mteb(evaluation: Evaluation, task: Any, scores: dict[str, float]) -> None:
    metadata, recorded = task.metadata, evaluation.task.facts.get("revision")
    if metadata.revision != recorded:
        raise StoreError(
            f"evaluation {evaluation.id} is of revision {recorded} of {metadata.name}, "
            f"the installed mteb has {metadata.revision}; install the mteb that it was evaluated with"
        )
    if metadata.main_score not in scores:
        raise StoreError(
            f"evaluation {evaluation.id} has no {metadata.main_score}, mteb's main score of {metadata.name}; "
            f"it has {', '.join(scores) or 'none that mteb has a name for'}"
        )

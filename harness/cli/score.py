"""`harness score`: a run, anyone's or a stored evaluation's, scored as our own evaluations are."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import format_option, show_json, show_table, store_option

if TYPE_CHECKING:
    from harness.contracts import Task
    from harness.records import Run


@click.command()
@click.option(
    "--run",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TREC run file: query Q0 document rank score tag.",
)
@click.option("--task", "name", metavar="NAME", help="Task whose documents and queries the run file ranks.")
@click.option("--split", metavar="NAME", help="Split of that task; default: the task's own.")
@click.option("--evaluation", "id", metavar="ID", help="In place of a file and its task: what an evaluation stored.")
@click.option("--measure", "names", multiple=True, metavar="NAME", help="Such as nDCG@10; default: the task's own.")
@click.option("--per-query", is_flag=True, help="Show each query's values too.")
@format_option
@store_option
def score(
    file: Path | None,
    name: str | None,
    split: str | None,
    id: str | None,
    names: Sequence[str],
    per_query: bool,
    format: str,
    store: str | None,
) -> None:
    """Score a run file on a task, or the stored run of an evaluation by other measures.

    Every query of the split counts: one without a line in the file scores 0. Unknown queries and documents are errors.
    """
    from harness.errors import ConfigError
    from harness.plugins import registry
    from harness.runner.evaluate import added_measures
    from harness.scoring import measures

    if id and not (file or name or split):
        task, split, run = _stored(id, store)
    elif file and name and not id:
        task, split, run = _in_file(file, name, split)
    else:
        raise ConfigError("expected --run FILE with --task NAME, or --evaluation ID alone")
    known, qrels = registry(), task.qrels(split)
    values = measures.score(run, qrels, task.corpus(), names or task.facts.measures, added_measures(known))
    report: dict[str, Any] = {
        "task": task.facts.name,
        "split": split,
        "queries": len(qrels),
        "unanswered": int((run.rows < 0).all(axis=1).sum()),
        "measures": {measure: float(array.mean()) for measure, array in values.items()},
    }
    if per_query:
        columns = {measure: array.tolist() for measure, array in values.items()}
        report["per_query"] = {m: dict(zip(qrels.query_ids, column, strict=True)) for m, column in columns.items()}
    if format == "json":
        show_json(report)
    else:
        _show(report)


def _in_file(file: Path, name: str, split: str | None) -> "tuple[Task, str, Run]":
    from harness.plugins import registry
    from harness.runner.foreign_run import read
    from harness.tasks import open_task

    task = open_task(registry(), name)
    split = split or task.facts.split
    return task, split, read(file, task, split)


def _stored(id: str, url: str | None) -> "tuple[Task, str, Run]":
    """The run that an evaluation left, on the task as it is now, which must be the task that it was."""
    from harness.errors import ConfigError
    from harness.plugins import registry
    from harness.runner.artefacts import stored_run
    from harness.store import open_store
    from harness.tasks import open_task

    store = open_store(url)
    evaluation = store.evaluation(id)
    its = evaluation.task
    task = open_task(registry(), its.name)
    if task.fingerprint(its.split) != its.fingerprint:
        raise ConfigError(f"{its.name} ({its.split}) is no longer what evaluation {id} ran on; run it again")
    return task, its.split, stored_run(store, evaluation, task.corpus())


def _show(report: dict[str, Any]) -> None:
    click.echo(f"{report['task']} ({report['split']}): {report['queries']} queries, {report['unanswered']} unanswered")
    show_table(["measure", "mean"], [(name, f"{mean:.4f}") for name, mean in report["measures"].items()])
    if "per_query" in report:
        values: dict[str, dict[str, float]] = report["per_query"]
        queries = next(iter(values.values()))
        rows = [[query, *(f"{values[name][query]:.4f}" for name in values)] for query in queries]
        click.echo()
        show_table(["query", *values], rows)

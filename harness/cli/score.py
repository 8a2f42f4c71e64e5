"""`harness score`: anyone's run file on a task, scored as our own evaluations are."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import format_option, show_json, show_table

if TYPE_CHECKING:
    pass


@click.command()
@click.option(
    "--run",
    "file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TREC run file: query Q0 document rank score tag.",
)
@click.option("--task", "name", required=True, metavar="NAME", help="Task whose documents and queries it ranks.")
@click.option("--split", metavar="NAME", help="Split of the task; default: the task's own.")
@click.option("--measure", "names", multiple=True, metavar="NAME", help="Such as nDCG@10; default: the task's own.")
@click.option("--per-query", is_flag=True, help="Show each query's values too.")
@format_option
def score(file: Path, name: str, split: str | None, names: Sequence[str], per_query: bool, format: str) -> None:
    """Score a run file on a task.

    Every query of the split counts: one without a line in the file scores 0. Unknown queries and documents are errors.
    """
    from harness.plugins import registry
    from harness.runner.evaluate import added_measures
    from harness.runner.foreign_run import read
    from harness.scoring import measures
    from harness.tasks import open_task

    known = registry()
    task = open_task(known, name)
    split = split or task.facts.split
    qrels, run = task.qrels(split), read(file, task, split)
    values = measures.score(run, qrels, task.corpus(), names or task.facts.measures, added_measures(known))
    report: dict[str, Any] = {
        "task": name,
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


def _show(report: dict[str, Any]) -> None:
    click.echo(f"{report['task']} ({report['split']}): {report['queries']} queries, {report['unanswered']} unanswered")
    show_table(["measure", "mean"], [(name, f"{mean:.4f}") for name, mean in report["measures"].items()])
    if "per_query" in report:
        values: dict[str, dict[str, float]] = report["per_query"]
        queries = next(iter(values.values()))
        rows = [[query, *(f"{values[name][query]:.4f}" for name in values)] for query in queries]
        click.echo()
        show_table(["query", *values], rows)

"""`harness results`: the stored evaluations."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from harness.cli import exchange
from harness.cli.options import counted, file_errors, format_option, show_json, show_table, store_option

if TYPE_CHECKING:
    from harness.store.records import Evaluation

FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def results() -> None:
    """List, show, export, import and remove evaluations."""


for command in exchange.COMMANDS:
    results.add_command(command)


@results.command("list")
@click.option("--method", metavar="NAME", help="Only of this method.")
@click.option("--task", metavar="NAME", help="Only on this task.")
@click.option("--state", type=click.Choice(["done", "failed"]), help="Only in this state.")
@format_option
@store_option
def list_(
    method: str | None, task: str | None, state: Literal["done", "failed"] | None, store: str | None, format: str
) -> None:
    """List evaluations with their tasks' main measure."""
    from harness.cli.evaluation import as_row, as_summary
    from harness.store import open_store

    found = open_store(store).evaluations(method, task, state, per_query=False)
    if format == "json":
        show_json([as_summary(evaluation) for evaluation in found])
        return
    columns = ["id", "method", "options", "task", "split", "seed", "state", "result", "device", "finished (UTC)"]
    show_table(columns, [as_row(evaluation) for evaluation in found])


@results.command()
@click.argument("id")
@format_option
@store_option
def show(id: str, store: str | None, format: str) -> None:
    """Show all that is known of an evaluation; ID may be cut to its first characters."""
    from harness.cli.evaluation import as_detail, as_lines
    from harness.store import open_store

    evaluation = open_store(store).evaluation(id)
    if format == "json":
        show_json(as_detail(evaluation))
    else:
        show_table(["evaluation", evaluation.id], as_lines(evaluation))


@results.command()
@click.argument("target", metavar="ID|FILE.gz")
@click.option("--trec", type=FILE, help="The run, as a TREC run file.")
@click.option("--mteb", type=FILE, help="The scores, as a result file of mteb; for tasks mteb:NAME.")
@click.option("--json", "json_file", type=FILE, help="Everything but the run, values by query included.")
@click.option("--per-query", type=FILE, help="One line a query, one column a measure, as CSV.")
@click.option("--suite", metavar="NAME", help="With FILE.gz: only of this suite, and the first stages it started from.")
@store_option
def export(
    target: str,
    trec: Path | None,
    mteb: Path | None,
    json_file: Path | None,
    per_query: Path | None,
    suite: str | None,
    store: str | None,
) -> None:
    """Write an evaluation to files that other programs read, or many to a FILE.gz for `harness results import`."""
    from harness.cli import exports
    from harness.store import open_store

    wanted = [
        (trec, exports.write_trec),
        (mteb, exports.write_mteb),
        (json_file, exports.write_json),
        (per_query, exports.write_per_query),
    ]
    if not any(path for path, _ in wanted) and target.endswith(".gz"):
        _export_all(Path(target), suite, store)
        return
    if suite or not any(path for path, _ in wanted):
        raise click.UsageError(
            "expected an evaluation's ID and --trec, --mteb, --json or --per-query with a file; "
            "or FILE.gz alone or with --suite, to write many"
        )
    opened = open_store(store)
    evaluation = opened.evaluation(target)
    for path, write in wanted:
        if path is not None:
            with file_errors(path):
                write(opened, evaluation, path)
            click.echo(path)


def _export_all(file: Path, suite: str | None, store: str | None) -> None:
    from harness.store import open_store
    from harness.store.exchange import export

    with file_errors(file):
        given = export(open_store(store), file, suite)
    click.echo(f"{counted(given.evaluations, 'evaluation')} written to {file}; files that they left stay here")


@results.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@click.option("--yes", is_flag=True, help="Don't ask.")
@store_option
def remove(ids: Sequence[str], yes: bool, store: str | None) -> None:
    """Remove evaluations and their files."""
    from harness.cli.evaluation import name_of
    from harness.store import open_store

    opened = open_store(store)
    found: list[Evaluation] = [opened.evaluation(id) for id in ids]
    for evaluation in found:
        click.echo(f"{evaluation.id}  {name_of(evaluation)}")
    if not yes:
        click.confirm(f"Remove {counted(len(found), 'evaluation')}?", abort=True)
    files = opened.remove(*(evaluation.id for evaluation in found))
    click.echo(f"{counted(len(found), 'evaluation')} and {counted(len(files), 'file')} removed")

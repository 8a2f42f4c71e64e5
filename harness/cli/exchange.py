"""`harness results bundle`, `unbundle`, `import`, `import-mteb`, `import-run`: results of other labs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import counted, file_errors, printable, store_option

if TYPE_CHECKING:
    from harness.store.exchange import Taken

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--suite", metavar="NAME", help="Only of this suite, and the first stages it started from.")
@store_option
def bundle(file: Path, suite: str | None, store: str | None) -> None:
    """Write evaluations to FILE with the files that they left, for `harness results unbundle`."""
    from harness.store import open_store
    from harness.store.exchange import write_bundle

    with file_errors(file):
        given = write_bundle(open_store(store), file, suite)
    click.echo(f"{counted(given.evaluations, 'evaluation')} and {counted(given.files, 'file')} written to {file}")
    if given.missing:
        click.echo(
            f"{counted(given.missing, 'file')} not here: the evaluations came without; only their hashes go along"
        )


@click.command()
@click.argument("file", type=FILE)
@store_option
def unbundle(file: Path, store: str | None) -> None:
    """Store the evaluations of a bundle, with their files.

    What contradicts a stored evaluation is shown and left out. Exit status 1 if something was left out.
    """
    from harness.runner.artefacts import remove_leftovers
    from harness.store import exchange, open_store

    opened = open_store(store)
    remove_leftovers(opened)
    with file_errors(file):
        _tell(exchange.unbundle(opened, file))


@click.command("import")
@click.argument("file", type=FILE, metavar="FILE.gz")
@store_option
def import_(file: Path, store: str | None) -> None:
    """Store the evaluations of a file made by `harness results export`.

    What contradicts a stored evaluation is shown and left out. Exit status 1 if something was left out.
    """
    from harness.runner.artefacts import remove_leftovers
    from harness.store import exchange, open_store

    opened = open_store(store)
    remove_leftovers(opened)
    with file_errors(file):
        _tell(exchange.import_results(opened, file))


@click.command("import-mteb")
@click.argument("folder", type=FOLDER)
@store_option
def import_mteb(folder: Path, store: str | None) -> None:
    """Store result files of mteb, <model>/<revision>/<Task>.json below FOLDER, as external results.

    They have no values by query; the board shows them apart and never ranks them among what was evaluated.
    """
    from harness.adapters.mteb_results import read_folder
    from harness.store import exchange, open_store

    found = read_folder(folder)
    taken = exchange.admit(open_store(store), found.results, {})
    if found.others:
        click.echo(f"{counted(found.others, 'result file')} left out: of tasks without retrieval measures")
    _tell(taken)


@click.command("import-run")
@click.argument("file", type=FILE, metavar="FILE.trec")
@click.option("--task", "name", required=True, metavar="NAME", help="Task whose documents and queries it ranks.")
@click.option("--split", metavar="NAME", help="Split of the task; default: the task's own.")
@click.option("--name", "method", required=True, metavar="METHOD", help="What the method is called on the board.")
@click.option("--url", default="", metavar="URL", help="Where the run or the method is described.")
@store_option
def import_run(file: Path, name: str, split: str | None, method: str, url: str, store: str | None) -> None:
    """Score a run file of others on a task and store it as an external result.

    The board shows it apart and never ranks it among what was evaluated.
    """
    from tempfile import TemporaryDirectory

    from harness.plugins import registry
    from harness.runner.artefacts import remove_leftovers
    from harness.runner.evaluate import added_measures
    from harness.runner.foreign_run import Foreign, scored
    from harness.store import exchange, open_store
    from harness.tasks import open_task

    task, opened = open_task(registry(), name), open_store(store)
    remove_leftovers(opened)
    given = Foreign(file=file, name=method, url=url)
    with TemporaryDirectory(prefix="harness-") as folder:
        result, files = scored(given, task, split or task.facts.split, Path(folder), added_measures(registry()))
        taken = exchange.admit(opened, [result], files)
    measure, mean = next(iter(result.measures.items()))
    click.echo(f"{result.id}  {printable(method)} on {name}: {measure} {mean:.4f}")
    _tell(taken)


COMMANDS = (bundle, unbundle, import_, import_mteb, import_run)
"""What `harness results` gets from here."""


def _tell(taken: "Taken") -> None:
    """Say what became of the evaluations; exit status 1 unless all of them are in the store."""
    files = f", {counted(taken.files, 'file')} stored" if taken.files else ""
    click.echo(f"{counted(taken.added, 'evaluation')} added, {taken.known} known already{files}")
    _tell_conflicts(taken)
    for evaluation_id in taken.busy:
        click.echo(f"{evaluation_id} is being evaluated here, or starts from one that is; take it in again afterwards")
    if taken.conflicts or taken.busy:
        raise SystemExit(1)


def _tell_conflicts(taken: "Taken") -> None:
    if not taken.conflicts:
        return
    click.echo(f"{counted(len(taken.conflicts), 'conflict')}; what was stored stays:")
    for conflict in taken.conflicts:
        one = conflict.evaluation
        name = f"{one.method.name} on {one.task.name} ({one.task.split}, seed {one.seed})"
        click.echo(f"{one.id}  {printable(name)}")
        for line in conflict.differs:
            click.echo(f"  {printable(line)}")
        if conflict.beside:
            click.echo(f"  not the same either: {', '.join(conflict.beside)}")
    click.echo("To have another's in place of one: `harness results remove ID`, then take the file in again.")

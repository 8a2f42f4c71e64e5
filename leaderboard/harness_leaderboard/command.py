"""`harness leaderboard`: the command line of this plugin."""

from datetime import UTC, datetime
from pathlib import Path

import click


@click.group()
def leaderboard() -> None:
    """Make a static site of the evaluations in a store."""


@leaderboard.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--store", metavar="URL", help="Database to read. Default: $HARNESS_HOME/harness.db.")
@click.option("--title", default="Retrieval leaderboard", show_default=True, help="Heading of the site.")
@click.option(
    "--date",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Date shown on the site; same store and date, same bytes. Default: today (UTC).",
)
def build(folder: Path, store: str | None, title: str, date: datetime | None) -> None:
    """Build the site in DIR: a new or empty folder, or one that an earlier build made."""
    from harness.store import open_store
    from harness_leaderboard.pages import build as build_files
    from harness_leaderboard.site import write

    day = (date or datetime.now(UTC)).date()
    evaluations = open_store(store).evaluations()
    files = build_files(evaluations, day, title)
    write(files, folder)
    click.echo(f"{len(evaluations)} evaluations, {len(files)} files: open {folder / 'index.html'}")

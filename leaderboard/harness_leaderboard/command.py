"""`harness leaderboard`: the command line of this plugin."""

from datetime import UTC, datetime
from pathlib import Path

import click


@click.group()
def leaderboard() -> None:
    """Make a static site, or the table of a suite, of the evaluations in a store."""


store_option = click.option("--store", metavar="URL", help="Database to read. Default: $HARNESS_HOME/harness.db.")


@leaderboard.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@store_option
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


@leaderboard.command()
@click.argument("suite")
@click.option(
    "--format",
    "format",
    type=click.Choice(["markdown", "csv", "json"]),
    default="markdown",
    show_default=True,
    help="Markdown as the site shows it; CSV and JSON with exact numbers.",
)
@store_option
def table(suite: str, format: str, store: str | None) -> None:
    """Print the table of a closed SUITE, with the numbers of its page on the site."""
    from harness.store import open_store
    from harness_leaderboard.tables import FORMATS, table_of

    text = FORMATS[format](table_of(open_store(store).evaluations(), suite))
    click.echo(text.encode("utf-8", "backslashreplace"), nl=False)

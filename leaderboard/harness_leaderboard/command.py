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
@click.option("--title", help="Heading of the site. Default: that of the configuration, else Retrieval leaderboard.")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="leaderboard.toml: title, sections, columns, footer, what is published.",
)
@click.option(
    "--date",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Date shown on the site; same store and date, same bytes. Default: today (UTC).",
)
def build(folder: Path, store: str | None, title: str | None, config: Path | None, date: datetime | None) -> None:
    """Build the site in DIR: a new or empty folder, or one that an earlier build made."""
    from harness.store import open_store
    from harness_leaderboard.options import Options, read_options
    from harness_leaderboard.pages import build as build_files
    from harness_leaderboard.site import write

    options = read_options(config) if config else Options()
    day = (date or datetime.now(UTC)).date()
    evaluations = open_store(store).listed()
    written = write(build_files(evaluations, day, title or options.title, options), folder)
    changed = written.files - written.kept
    click.echo(
        f"{len(evaluations)} evaluations, {written.files} files, {changed} of them new or changed: "
        f"open {folder / 'index.html'}"
    )


@leaderboard.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any that is free.")
def serve(folder: Path, port: int) -> None:
    """Show the site in DIR at an address of this machine, until Ctrl-C."""
    from harness_leaderboard.serving import server

    with server(folder, port) as running:
        click.echo(f"http://127.0.0.1:{running.server_address[1]}/  (Ctrl-C ends it)")
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            click.echo()


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

    text = FORMATS[format](table_of(open_store(store).listed(), suite))
    click.echo(text.encode("utf-8", "backslashreplace"), nl=False)

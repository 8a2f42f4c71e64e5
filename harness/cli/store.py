"""`harness store`: the database itself."""

from pathlib import Path

import click

from harness.cli.options import format_option, show_json, store_option


@click.group()
def store() -> None:
    """Check, upgrade, copy and tidy the database."""


@store.command()
@store_option
def upgrade(store: str | None) -> None:
    """Bring a store to the schema of this harness; what is in it stays."""
    from harness.store.database import Database, store_url
    from harness.store.schema import upgrade

    database = Database(store_url(store))
    before, after = upgrade(database)
    if before == after:
        click.echo(f"{database.address} has the newest schema, {after}")
    else:
        click.echo(f"{database.address}: schema {before or 'none'} → {after}")


@store.command()
@format_option
@store_option
def check(store: str | None, format: str) -> None:
    """Look for damage, rows and files without an owner, changed files, leases left behind. Exit status 1 if any."""
    from harness.store import open_store
    from harness.store.inspection import problems

    opened = open_store(store)
    found = problems(opened)
    if format == "json":
        show_json(found)
    else:
        for problem in found:
            click.echo(problem)
        click.echo(
            f"{opened.database.address}: {len(found)} problems" if found else f"{opened.database.address}: sound"
        )
    if found:
        raise SystemExit(1)


@store.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@store_option
def backup(store: str | None, file: Path) -> None:
    """Copy the database to FILE while others go on working; FILE must not be there yet.

    Of SQLite, FILE is a store itself (`--store FILE`); of PostgreSQL, `pg_restore --dbname URL FILE` reads it. The
    files of evaluations are not in it: copy the folder that is named, or use `harness results bundle`.
    """
    from harness.store import open_store
    from harness.store.upkeep import backup

    opened = open_store(store)
    written = backup(opened.database, file)
    click.echo(f"{opened.database.address} → {file} ({written} bytes); its evaluations' files: {opened.artefacts}")


@store.command()
@store_option
def vacuum(store: str | None) -> None:
    """Remove what killed processes left, and give the room of removed evaluations back."""
    from harness.runner.artefacts import remove_leftovers
    from harness.store import open_store
    from harness.store.upkeep import vacuum

    opened = open_store(store)
    remove_leftovers(opened)
    before, after = vacuum(opened.database)
    click.echo(f"{opened.database.address}: {before} bytes before, {after} after")

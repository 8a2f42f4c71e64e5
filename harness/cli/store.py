"""`harness store`: the database itself."""

import click

from harness.cli.options import format_option, show_json, store_option


@click.group()
def store() -> None:
    """Check and upgrade the database."""


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

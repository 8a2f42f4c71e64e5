"""`harness signals`: what teachers have said, and how to share it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import format_option, show_json, show_table

if TYPE_CHECKING:
    from harness.signals.exchange import Holding


@click.group()
def signals() -> None:
    """Teacher signals: list, check, share."""


def _all() -> "list[Holding]":
    from harness.signals.exchange import holdings
    from harness.signals.store import SignalStore

    return holdings(SignalStore())


def _named(name: str) -> "Holding":
    from harness.errors import SignalError

    known = _all()
    exact = [holding for holding in known if holding.name == name]  # abc/score is also the start of abc/score-lists
    found = exact or [holding for holding in known if holding.name.startswith(name)]
    if len(found) != 1:
        names = ", ".join(holding.name for holding in known) or "none"
        raise SignalError(f"{len(found)} signals are named {name!r}; expected one of: {names}")
    return found[0]


def _facts(holding: "Holding") -> dict[str, Any]:
    facts: dict[str, Any] = {"name": holding.name, "kind": holding.kind, "plugin": holding.description}
    facts |= {"teacher": holding.teacher, "signals": holding.count, "shards": len(holding.shards)}
    return facts | {"imported": holding.imported, "calls": holding.calls, "seconds": round(holding.seconds, 3)}


@signals.command("list")
@format_option
def list_(format: str) -> None:
    """All signals, by teacher and kind."""
    rows = [_facts(holding) for holding in _all()]
    if format == "json":
        return show_json(rows)
    columns = ["name", "plugin", "signals", "shards", "imported", "calls", "seconds"]
    return show_table(columns, [[str(row[column]) for column in columns] for row in rows])


@signals.command()
@click.argument("name")
def show(name: str) -> None:
    """Teacher, provenance and files of the signals NAME, as JSON."""
    holding = _named(name)
    shards = [{"file": shard.path.name, **shard.provenance} for shard in holding.shards]
    show_json({**_facts(holding), "files": shards})


@signals.command()
def verify() -> None:
    """Compare every file with its hash."""
    shards = [shard for holding in _all() for shard in holding.shards]
    for shard in shards:
        shard.verify()
    click.echo(f"{len(shards)} shards are as they were written")


@signals.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--only", "names", multiple=True, metavar="NAME", help="Only these; default: all.")
def export(file: Path, names: tuple[str, ...]) -> None:
    """Write signals to FILE, to be imported elsewhere."""
    from harness.signals.exchange import export as write

    chosen = [_named(name) for name in names] if names else _all()
    click.echo(f"{write(chosen, file)} shards written to {file}")


@signals.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def import_(file: Path) -> None:
    """Add the signals of FILE, checked and marked as imported."""
    from harness.signals.exchange import take_in
    from harness.signals.store import SignalStore

    click.echo(f"{take_in(SignalStore(), file)} shards read from {file}")

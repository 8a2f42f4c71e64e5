"""`harness plugins`: what is installed, what is broken, how to make one, and whether it keeps its contract."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.card import KINDS, Kind
from harness.cli.options import format_option, show_json, show_table

if TYPE_CHECKING:
    from harness.plugins import Broken, Plugin
    from harness.testing.subject import Subject


@click.group()
def plugins() -> None:
    """List, show, make and check plugins."""


@plugins.command("list")
@click.option("--kind", type=click.Choice(KINDS), help="Only plugins of this kind, and broken ones.")
@format_option
def list_(kind: Kind | None, format: str) -> None:
    """List what is installed, broken plugins with the reason."""
    from harness.plugins import registry

    rows = [row for plugin in registry().all for row in rows_of(plugin)]
    rows = [row for row in rows if kind is None or row["kind"] in (kind, "unknown")]
    if format == "json":
        show_json(rows)
        return
    columns = ["name", "kind", "distribution", "version", "state"]
    cells = [[*(row[column] for column in columns), row["reason"] or row["summary"]] for row in rows]
    show_table([*columns, "summary, or reason"], cells)


def rows_of(plugin: "Plugin | Broken") -> list[dict[str, str]]:
    """One row a card; one for a plugin that is broken, or that has other hooks only (commands, suites …)."""
    from harness.plugins import Broken

    source = plugin.source
    origin = {"distribution": source.distribution, "version": source.version}
    if isinstance(plugin, Broken):
        row = {"name": source.name, "kind": "unknown", **origin, "state": "broken", "summary": ""}
        return [row | {"reason": str(plugin.error)}]
    cards = [(card.name, card.kind, card.summary) for card in plugin.cards]
    hooks = (source.name, "extension", (plugin.module.__doc__ or "").strip().partition("\n")[0])
    return [
        {"name": name, "kind": kind, **origin, "state": "ok", "summary": summary, "reason": ""}
        for name, kind, summary in cards or [hooks]
    ]


@plugins.command()
@click.argument("name")
@format_option
def show(name: str, format: str) -> None:
    """Show a plugin: paper, options, presets, figures its authors report, deviations from the paper."""
    from harness.cli.card import show_card
    from harness.describe import describe
    from harness.plugins import registry

    card, source = registry().find(name)
    origin = {"distribution": source.distribution, "version": source.version}
    facts = describe(card) | origin
    if format == "json":
        show_json(facts)
    else:
        show_card(facts)


@plugins.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What it is.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    help="Where NAME/ is made; default: here.",
)
def new(name: str, kind: Kind, folder: Path) -> None:
    """Make a plugin: an installable package that passes its contract."""
    from harness.cli.scaffold import scaffold

    made = scaffold(name, kind, folder)
    click.echo(f"{made} made; next:")
    click.echo(f"  pip install --no-build-isolation -e {made}")
    click.echo(f"  harness plugins check {name}")


@plugins.command()
@click.argument("name")
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="Option of the plugin.")
@click.option("--student", default="", metavar="CHECKPOINT", help="Student of a distiller.")
@click.option("--teacher", metavar="NAME", help="Teacher of a distiller; its options are -o teacher.KEY=VALUE.")
@click.option("--skip", multiple=True, metavar="CHECK", help="Leave this check out; may be repeated.")
def check(name: str, options: Sequence[str], student: str, teacher: str | None, skip: Sequence[str]) -> None:
    """Run the contract's checks on an installed plugin. Exit status: 0 all passed, 1 some failed, 2 none could run."""
    from harness.errors import ConfigError
    from harness.testing.checks import CHECKS

    with tempfile.TemporaryDirectory(prefix="harness-check-") as folder:
        subject = _subject(name, options, student, teacher, Path(folder))
        checks = CHECKS[subject.kind]
        known = [check.__name__ for check in checks]
        if unknown := [word for word in skip if word not in known]:
            raise ConfigError(f"--skip: no check named {unknown[0]!r}; a {subject.kind} has {', '.join(known)}")
        failed = _checked(subject, skip)
    click.echo(f"{name}: {len(failed)} of {len(checks) - len(set(skip))} checks failed" if failed else f"{name}: sound")
    sys.exit(1 if failed else 0)


def _subject(name: str, options: Sequence[str], student: str, teacher: str | None, folder: Path) -> "Subject":
    from harness.config import pairs, use
    from harness.plugins import registry
    from harness.testing.subject import Subject

    known = registry()
    card, _ = known.find(name)
    given = pairs(options, "-o")
    taught = {key.removeprefix("teacher."): given.pop(key) for key in list(given) if _of_teacher(key, teacher)}
    subject = Subject(
        registry=known,
        kind=card.kind,
        name=name,
        options=given,
        folder=folder,
        student=student,
        teacher=use(known, ("teacher",), teacher, taught) if teacher else None,
    )
    _ = subject.chosen  # wrong options are the user's to mend, before anything is checked
    return subject


def _of_teacher(key: str, teacher: str | None) -> bool:
    return teacher is not None and key.startswith("teacher.")


def _checked(subject: "Subject", skip: Sequence[str]) -> list[str]:
    """Make the checks, say what came of each, and give the names of those that failed."""
    from harness.testing.checks import CHECKS, failure, meaning

    failed: list[str] = []
    for check in CHECKS[subject.kind]:
        if check.__name__ in skip:
            click.echo(f"skipped {check.__name__}")
            continue
        reason = failure(check, subject)
        click.echo(f"FAILED  {check.__name__}: {reason}" if reason else f"passed  {check.__name__}")
        if reason:
            click.echo(f"        {meaning(check)}")
            failed.append(check.__name__)
            if check.__name__ == "builds":
                click.echo("        the other checks need what could not be built")
                break
    return failed

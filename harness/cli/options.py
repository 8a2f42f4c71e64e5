"""Options and output that commands share: `--store`, `--format`, tables and JSON."""

import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

store_option = click.option(
    "--store", envvar="HARNESS_STORE", metavar="URL", help="SQLite file or database URL. Default: $HARNESS_HOME."
)
"""Gives the command an argument `store: str | None`, to be handed to `harness.store.open_store`."""

format_option = click.option(
    "--format", "format", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Output."
)
"""Gives the command an argument `format: str`."""


def as_words(command: click.Command, given: Mapping[str, Any]) -> list[str]:
    """The words that make these values of a command's options, its name before them."""
    words = [str(command.name)]
    for option in (param for param in command.params if isinstance(param, click.Option)):
        value, flag = given.get(str(option.name)), option.opts[-1]
        if option.is_flag:
            words += [flag] if value else []
        elif value is not None:
            words += [word for one in (value if option.multiple else [value]) for word in (flag, str(one))]
    return words


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a header: folded to the width of a terminal, one line a row anywhere else."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 100_000, highlight=False)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def show_json(value: Any) -> None:
    """Print a value as JSON; times as ISO 8601."""
    click.echo(as_json_text(value))


def as_json_text(value: Any) -> str:
    """A value as indented JSON; times as ISO 8601. NaN is an error, since no JSON reader takes it."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def printable(text: str) -> str:
    """A text with its control characters made visible: stored texts are foreign and must not steer a terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


@contextmanager
def file_errors(path: Path) -> Generator[None, None, None]:
    """What the operating system refuses, in one line."""
    try:
        yield
    except OSError as error:
        raise click.FileError(str(path), error.strerror or str(error)) from error

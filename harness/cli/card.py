"""A card on the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from harness.cli.options import printable, show_table


def show_card(facts: Mapping[str, Any]) -> None:
    """Print what `harness.describe.describe` says of a card, and where it was installed from."""
    click.echo(f"{facts['name']} ({facts['kind']}; {facts['distribution']} {facts['version']})")
    click.echo(printable(facts["summary"]))
    for label, text in _lines(facts):
        click.echo(f"{label}: {printable(text)}")
    _table(
        "options", ["option", "type", "default", "unit", "paper", "meaning"], [_option(one) for one in facts["knobs"]]
    )
    presets = [[name, " ".join(f"-o {key}={value}" for key, value in options.items())]
               for name, options in facts["presets"].items()]  # fmt: skip
    _table("presets (-o preset=NAME)", ["preset", "stands for"], presets)
    columns = ["dataset", "measure", "value", "source"]
    claims = [[str(claim[column]) for column in columns] for claim in facts["claims"]]
    _table("figures that its authors report", columns, claims)
    _table("deviations from the paper", ["what"], [[text] for text in facts["deviations"]])


def _lines(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    paper = facts["paper"]
    cited = f"{paper['title']}. {paper['authors']}, {paper['venue']} {paper['year']}. {paper['url']}" if paper else ""
    found = [("family", facts["family"]), ("paper", cited)]
    found += [("gives", ", ".join(facts["gives"])), ("needs of its teacher", ", ".join(facts["needs"]))]
    return [(label, text) for label, text in found if text]


def _option(knob: Mapping[str, Any]) -> list[str]:
    default = _text(knob["default"]) if "default" in knob else "required"
    limits = f" ({_limit(knob['low'], '-∞')} to {_limit(knob['high'], '∞')})"
    meaning = knob["help"] + (limits if knob["low"] is not None or knob["high"] is not None else "")
    return [knob["name"], knob["type"], default, knob["unit"], _text(knob["paper"], ""), meaning]


def _limit(value: float | None, none: str) -> str:
    return none if value is None else f"{value:g}"


def _text(value: Any, none: str = "none") -> str:
    """A default as it would be written on the command line."""
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType] - JSON values
    return none if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        click.echo(f"\n{title}")
        show_table(columns, rows)

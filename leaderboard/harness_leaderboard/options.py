"""leaderboard.toml: what a site shows and says of itself."""

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from harness.errors import ConfigError
from harness_leaderboard.board import COSTS
from harness_leaderboard.public import link


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link of the footer."""

    text: str
    """What stands there."""
    url: str
    """Where it leads: an address of the web."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a site shows and says of itself."""

    title: str = "Retrieval leaderboard"
    """Its heading."""
    description: str = ""
    """A paragraph below it, on the overview."""
    sections: tuple[str, ...] = ()
    """Divisions, or divisions and suites (`closed/closed-tiny`), in the order they are shown; empty for all."""
    measures: tuple[str, ...] = ()
    """Measures shown on the pages of tasks and methods, besides the one that ranks; empty for all."""
    costs: tuple[str, ...] = tuple(COSTS)
    """Costs shown on the overview and in rankings."""
    footer: str = ""
    """A line at the end of every page."""
    links: tuple[Link, ...] = ()
    """After it."""
    citation: str = ""
    """How to cite the board, as text or BibTeX."""
    texts: bool = True
    """Whether texts of queries and titles of documents are published."""
    runs: bool = True
    """Whether runs are published, as TREC run files."""

    def shows(self, division: str, suite: str) -> bool:
        """Whether a section is on the site."""
        return not self.sections or self.place(division, suite) < len(self.sections)

    def place(self, division: str, suite: str) -> int:
        """Where a section stands: the position of the entry that names it, that of its suite before its division's."""
        for name in (f"{division}/{suite}", division):
            if name in self.sections:
                return self.sections.index(name)
        return len(self.sections)


def read_options(path: Path) -> Options:
    """The options in this file.

    Raises:
        ConfigError: it can't be read, or a key is unknown or of a wrong type.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: expected a TOML file, got {type(error).__name__}: {error}") from error
    return Options(**_fitted(path.name, given, TOP))


def _fitted(where: str, table: Any, wanted: Mapping[str, Callable[[str, Any], Any]]) -> dict[str, Any]:
    """A table's values, each as its key asks; what a part of the table gives stands beside the others."""
    if not isinstance(table, dict):
        _refuse(where, "a table", table)
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key not in wanted:
            near = difflib.get_close_matches(key, wanted, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(wanted)}"
            raise ConfigError(f"{where}: no key named {key!r}; {hint}")
        fit = wanted[key](f"{where}: {key}", value)
        found |= fit if isinstance(fit, dict) else {key: fit}
    return found


def _refuse(where: str, expected: str, got: Any) -> NoReturn:
    raise ConfigError(f"{where}: expected {expected}, got {got!r}; correct it")


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        _refuse(where, "text that is not empty", value)
    return value.strip()


def _switch(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        _refuse(where, "true or false", value)
    return value


def _texts(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        _refuse(where, "a list of texts, at least one", value)
    found = tuple(_text(where, item) for item in value)
    if len(set(found)) < len(found):
        _refuse(where, "each text once", value)
    return found


def _sections(where: str, value: Any) -> tuple[str, ...]:
    found = _texts(where, value)
    for name in found:
        if name.partition("/")[0] not in ("open", "closed", "external"):
            _refuse(where, "`open`, `closed`, one of them with a suite, as closed/closed-tiny, or `external`", name)
    return found


def _costs(where: str, value: Any) -> tuple[str, ...]:
    found = _texts(where, value)
    for name in found:
        if name not in COSTS:
            near = difflib.get_close_matches(name, COSTS, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(COSTS)}"
            raise ConfigError(f"{where}: no cost named {name!r}; {hint}")
    return found


def _columns(where: str, value: Any) -> dict[str, Any]:
    return _fitted(where, value, {"measures": _texts, "costs": _costs})


def _footer(where: str, value: Any) -> dict[str, Any]:
    found = _fitted(where, value, {"text": _text, "links": _links})
    return {{"text": "footer"}.get(key, key): part for key, part in found.items()}


def _links(where: str, value: Any) -> tuple[Link, ...]:
    if not isinstance(value, list):
        _refuse(where, "tables of text and url", value)
    return tuple(_link(where, item) for item in value)


def _link(where: str, value: Any) -> Link:
    found = _fitted(where, value, {"text": _text, "url": _text})
    for key in ("text", "url"):
        if key not in found:
            raise ConfigError(f"{where}: key {key!r} is missing; add it")
    if not link(found["url"]):
        _refuse(f"{where}: url", "an address of the web, https://…", found["url"])
    return Link(**found)


TOP: Mapping[str, Callable[[str, Any], Any]] = {
    "title": _text,
    "description": _text,
    "sections": _sections,
    "columns": _columns,
    "footer": _footer,
    "citation": _text,
    "texts": _switch,
    "runs": _switch,
}
"""The keys of the file, and what makes a value of each."""

"""A method's card beside what was run: knobs with the values used, claims with our figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness_leaderboard.model import Method, Result
from harness_leaderboard.numbers import plain
from harness_leaderboard.public import without_places
from harness_leaderboard.sections import Board, Section


@dataclass(frozen=True, kw_only=True)
class Knob:
    """One option of a method, as it was used."""

    name: str
    """The option."""
    used: str
    """Its value here."""
    default: str
    """Its default; empty if it has none, or its plugin's card doesn't say."""
    paper: str
    """The paper's value; empty if the card names none."""
    unit: str
    """Its unit."""
    help: str
    """What it does."""

    @property
    def departs(self) -> bool:
        """Whether the paper uses another value."""
        return self.paper not in ("", self.used)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A published figure beside ours; one for each of our results that it can be compared with, or none."""

    claim: Mapping[str, Any]
    """As the card states it."""
    section: Section | None = None
    """Where our figure is from; None if there is none."""
    result: Result | None = None
    """Our result; None if there is none."""

    @property
    def ours(self) -> float | None:
        """Our figure."""
        return self.result.value(self.claim["measure"]) if self.result else None

    @property
    def deviation(self) -> float | None:
        """Ours less the published figure."""
        return None if self.ours is None else self.ours - self.claim["value"]


def results_of(board: Board, method: Method) -> list[tuple[Section, list[Result]]]:
    """The method's results in each section that has any, in the order of the section's tasks."""
    found: list[tuple[Section, list[Result]]] = []
    for section in board.sections:
        row = section.row_of.get(method.key)
        if row and row.standings:
            standings = [row.standings[task.key] for task in section.tasks if task.key in row.standings]
            found.append((section, [standing.result for standing in standings]))
    return found


def knobs(method: Method) -> list[Knob]:
    """Every option with the value used; what the card says of it stands beside."""
    described = {knob["name"]: knob for knob in method.record.card.get("knobs", ())}
    return [_knob(name, used, described.get(name, {})) for name, used in method.options.items()]


def _knob(name: str, used: str, described: Mapping[str, Any]) -> Knob:
    paper = described.get("paper")
    return Knob(
        name=name,
        used=used,
        default=without_places(plain(described["default"])) if "default" in described else "",
        paper="" if paper is None else plain(paper),
        unit=described.get("unit") or "",
        help=described.get("help") or "",
    )


def claims(method: Method, results: Iterable[tuple[Section, Sequence[Result]]]) -> list[Compared]:
    """What the authors report, beside our figure on the task that the card names."""
    ours = [(section, result) for section, found in results for result in found]
    compared: list[Compared] = []
    for claim in method.record.card.get("claims", ()):
        fitting = [
            Compared(claim=claim, section=section, result=result)
            for section, result in ours
            if result.task.record.name == claim.get("task") and result.value(claim["measure"]) is not None
        ]
        compared += fitting or [Compared(claim=claim)]
    return compared

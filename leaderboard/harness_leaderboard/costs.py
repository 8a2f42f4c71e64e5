"""The cost page: for each section and device, what quality costs, who is on the front, and who beats the others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness_leaderboard.contenders import COSTS, Contender, contenders, offers
from harness_leaderboard.model import Method, Task
from harness_leaderboard.pareto import Offer, dominators, front
from harness_leaderboard.sections import Board, Section
from harness_leaderboard.settings import FACTOR, RATES, DeviceSetting, device_settings

MOST = 3
"""So many of those that beat a method are named; the others are counted."""


@dataclass(frozen=True, kw_only=True)
class Plane:
    """Quality against one cost."""

    cost: str
    """Name of the cost."""
    offers: Mapping[str, Offer]
    """By the method's page."""

    @cached_property
    def front(self) -> Sequence[str]:
        """Pages of the methods that no other dominates, the cheapest first."""
        return front(self.offers)

    @property
    def flat(self) -> bool:
        """Whether there is nothing to draw: one method, or the same cost for all."""
        return len({offer.cost for offer in self.offers.values()}) < 2


@dataclass(frozen=True, kw_only=True)
class Beaten:
    """Who dominates a method that is on no front."""

    by: Method
    """The other, itself on the front of these costs."""
    costs: Sequence[str]
    """Costs at which it does."""


@dataclass(frozen=True, kw_only=True)
class Arena:
    """All that is compared with each other: one section in one setting."""

    section: Section
    """The section."""
    setting: DeviceSetting
    """Where all of it ran."""
    contenders: Sequence[Contender]
    """In the section's order."""

    @cached_property
    def planes(self) -> Sequence[Plane]:
        """The costs that any method has, by the mean over tasks."""
        made = (Plane(cost=name, offers=offers(self.contenders, name)) for name in COSTS)
        return [plane for plane in made if plane.offers]

    @property
    def costs(self) -> Sequence[str]:
        """Those that any method has on any task."""
        known = {name for one in self.contenders for costs in one.by_task.values() for name in costs}
        return [name for name in COSTS if name in known]

    @cached_property
    def methods(self) -> Mapping[str, Method]:
        """By page."""
        return {one.method.page: one.method for one in self.contenders}

    def place(self, plane: Plane, method: Method) -> int | None:
        """The method's number on a front, from 1, the cheapest first; None if it is not on it."""
        return plane.front.index(method.page) + 1 if method.page in plane.front else None

    def on_a_front(self, method: Method) -> bool:
        """Whether any front has it."""
        return any(method.page in plane.front for plane in self.planes)

    def beaten(self, method: Method) -> list[Beaten]:
        """Those on the fronts that dominate the method, at the most costs first."""
        found: dict[str, list[str]] = {}
        for plane in self.planes:
            if method.page in plane.offers:
                for other in dominators(method.page, plane.offers, plane.front):
                    found.setdefault(other, []).append(plane.cost)
        ordered = sorted(found, key=lambda page: (-len(found[page]), self.methods[page].label))
        return [Beaten(by=self.methods[page], costs=found[page]) for page in ordered]

    def task_fronts(self, task: Task) -> dict[str, list[Method]]:
        """Cost → the methods on the front of one task."""
        known = {name: offers(self.contenders, name, task.key) for name in COSTS}
        return {name: [self.methods[page] for page in front(found)] for name, found in known.items() if found}

    @property
    def complete(self) -> Sequence[Contender]:
        """Those that have a mean."""
        return [one for one in self.contenders if one.mean is not None]


def arenas(board: Board) -> list[Arena]:
    """Every section in every setting that any of its methods ran in."""
    settings = device_settings(evaluation for evaluation in board.evaluations if evaluation.id in board.shown)
    made = (
        Arena(section=section, setting=setting, contenders=contenders(section, setting))
        for section in board.sections
        for setting in settings
    )
    return [arena for arena in made if arena.contenders]


def content(found: Iterable[Arena], draw: Any) -> dict[str, Any]:
    """What the template is filled with.

    Args:
        found: what is compared.
        draw: makes the picture of an arena's plane.
    """
    shown = list(found)
    pictures = [[None if plane.flat else draw(arena, plane) for plane in arena.planes] for arena in shown]
    return {"arenas": list(zip(shown, pictures, strict=True)), "factor": FACTOR, "most": MOST, "RATES": RATES}

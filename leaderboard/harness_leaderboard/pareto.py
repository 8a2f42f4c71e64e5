"""What is worth its cost: the front of those that nothing else beats, and who beats the others."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

Name = TypeVar("Name")


class Offer(NamedTuple):
    """What a method gives, and what it takes."""

    quality: float
    """More is better."""
    cost: float
    """Less is better."""

    def dominates(self, other: "Offer") -> bool:
        """Whether it is no worse in both and better in one."""
        return self.quality >= other.quality and self.cost <= other.cost and self != other


def front(offers: Mapping[Name, Offer]) -> list[Name]:
    """Those that no other dominates, the cheapest first; equal offers are both there."""
    ordered = sorted(offers.items(), key=lambda item: (item[1].cost, -item[1].quality))
    found: list[Name] = []
    best: Offer | None = None
    for name, offer in ordered:
        if best is None or offer.quality > best.quality or offer == best:
            found.append(name)
            best = offer
    return found


def dominators(name: Name, offers: Mapping[Name, Offer], among: Sequence[Name]) -> list[Name]:
    """Which of these dominate it, in their order."""
    return [other for other in among if offers[other].dominates(offers[name])]

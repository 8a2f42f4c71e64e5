"""Permuted: another teacher, whose documents change places with each other; a check of distillers, not a method.

What is learnt from it has the right form, scale and distribution, and says nothing of any document. A distiller that is
as good with it as with the teacher itself has learnt nothing from the teacher.
"""

from dataclasses import dataclass

from harness import Card, Use, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """Whose answers, and in which places."""

    teacher: Use = knob(help="the teacher", nested="teacher")
    draw: int = knob(0, "seed of the places", low=0)


CARD = Card(
    name="permuted",
    kind="teacher",
    summary="Another teacher's answers, each for another document: nothing to learn but its form.",
    method="harness_permuted.method:build",
    config=Config,
    family="check",
    gives=("score", "prefer", "order", "embed", "features"),
)


@hookimpl
def harness_teachers() -> list[Card]:
    """The permuted teacher."""
    return [CARD]

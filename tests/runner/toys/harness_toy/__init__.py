"""Retrievers that are quick, slow, or wrong in one way, for the runner's tests."""

from dataclasses import dataclass

from harness import Card, Use, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the toy does beside ranking by shared words."""

    weight: float = knob(1.0, "factor on every score", low=0)
    seconds: float = knob(0.0, "time a search takes", unit="seconds", low=0)
    fault: str = knob("", "what goes wrong: raise, tell, exit, kill, nan, print")
    noise: bool = knob(False, "add noise that depends on the seed")


@dataclass(frozen=True, kw_only=True)
class OverConfig:
    """A second stage."""

    base: Use = knob("toy", "first stage", nested="retriever")


TOY = Card(
    name="toy", kind="retriever", summary="Shared words.", method="harness_toy.method:Toy", config=Config, family="toy"
)
OVER = Card(
    name="toy-over",
    kind="retriever",
    summary="Reverses the first stage's run.",
    method="harness_toy.method:Over",
    config=OverConfig,
    first_stages=("base",),
)


@hookimpl
def harness_retrievers() -> list[Card]:
    """The toys."""
    return [TOY, OVER]

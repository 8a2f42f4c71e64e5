"""Retrievers that are quick, slow, or wrong in one way, for the runner's tests."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from harness import Card, Use, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the toy does beside ranking by shared words."""

    weight: float = knob(1.0, "factor on every score", low=0)
    seconds: float = knob(0.0, "time a search takes", unit="seconds", low=0)
    fault: str = knob("", "what goes wrong: raise, exit, kill, nan, print")
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


def _note(kind: str, evaluation: dict, text: str = "") -> None:
    if log := os.environ.get("TOY_EVENTS"):
        with Path(log).open("a") as file:
            file.write(json.dumps([kind, evaluation["id"], evaluation["task"], sorted(evaluation), text]) + "\n")


@hookimpl
def harness_evaluation_started(evaluation) -> None:
    """Note it."""
    _note("started", evaluation)


@hookimpl
def harness_evaluation_finished(evaluation) -> None:
    """Note it."""
    _note("finished", evaluation)


@hookimpl
def harness_evaluation_failed(evaluation, error) -> None:
    """Note it."""
    _note("failed", evaluation, error)

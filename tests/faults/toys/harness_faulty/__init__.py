"""A retriever, a second stage, a distiller and its teacher that do well until a fault is due: see `fault`."""

from dataclasses import dataclass

from harness import Card, Use, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the retriever does."""

    weight: float = knob(1.0, "factor on every score", low=0)


@dataclass(frozen=True, kw_only=True)
class OverConfig:
    """A second stage."""

    base: Use = knob("faulty", "first stage", nested="retriever")


@dataclass(frozen=True, kw_only=True)
class TaughtConfig:
    """What the distiller learns from."""

    teacher: Use = knob("faulty-teacher", "who scores", nested="teacher")


CARDS = {
    "retriever": [
        Card(name="faulty", kind="retriever", summary="Words.", method="harness_faulty.method:Faulty", config=Config),
        Card(
            name="faulty-over",
            kind="retriever",
            summary="Turns the first stage's run round.",
            method="harness_faulty.method:Over",
            config=OverConfig,
            first_stages=("base",),
        ),
    ],
    "teacher": [
        Card(
            name="faulty-teacher",
            kind="teacher",
            summary="Counts words.",
            method="harness_faulty.taught:Teacher",
            gives=("score",),
        )
    ],
    "distiller": [
        Card(
            name="faulty-taught",
            kind="distiller",
            summary="A weight a word.",
            method="harness_faulty.taught:Taught",
            config=TaughtConfig,
        )
    ],
}


@hookimpl
def harness_retrievers() -> list[Card]:
    """The two that rank."""
    return CARDS["retriever"]


@hookimpl
def harness_teachers() -> list[Card]:
    """The teacher."""
    return CARDS["teacher"]


@hookimpl
def harness_distillers() -> list[Card]:
    """The distiller."""
    return CARDS["distiller"]

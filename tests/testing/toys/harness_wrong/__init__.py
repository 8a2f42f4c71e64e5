"""One plugin of each kind that is right, or wrong in the one way that its option names."""

from dataclasses import dataclass

from harness import Card, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """The planted fault."""

    fault: str = knob("", "what is wrong; nothing if empty")
    length: int = knob(8, "words read, for the teacher", unit="words", low=1)


def _card(name: str, kind: str, attribute: str, **more: object) -> Card:
    return Card(
        name=name, kind=kind, summary="Shared words.", method=f"harness_wrong.{attribute}", config=Config, **more
    )


@hookimpl
def harness_retrievers() -> list[Card]:
    return [_card("wrong", "retriever", "retrievers:Wrong")]


@hookimpl
def harness_teachers() -> list[Card]:
    gives = ("score", "embed", "prefer", "order", "features", "generate", "judge")
    return [_card("wrong-teacher", "teacher", "teachers:Wrong", gives=gives)]


@hookimpl
def harness_distillers() -> list[Card]:
    return [_card("wrong-distiller", "distiller", "distillers:Wrong", needs=("score",))]


@hookimpl
def harness_tasks() -> list[Card]:
    return [_card("wrong-task", "task", "tasks:Wrong")]

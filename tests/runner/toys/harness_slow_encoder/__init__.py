"""A retriever whose encoder takes its time, for the tests of processes that encode together."""

from dataclasses import dataclass

from harness import Card, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """How slow it is."""

    seconds: float = knob(0.0, "time that a block of documents takes", unit="seconds", low=0)


@hookimpl
def harness_retrievers() -> list[Card]:
    """The toy."""
    summary = "Counts letters, slowly."
    method = "harness_slow_encoder.method:make"
    return [Card(name="slow-encoder", kind="retriever", summary=summary, method=method, config=Config)]

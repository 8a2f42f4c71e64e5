"""What a training has used of its budget, and its loss curves."""

from dataclasses import asdict, dataclass, field
from typing import Any

from harness.records import Budget


@dataclass
class Account:
    """Counted exactly, and kept with every checkpoint."""

    steps: int = 0
    """Optimiser steps."""
    examples: int = 0
    """Training examples seen."""
    seconds: float = 0.0
    """Device seconds in steps: summed over processes and over all attempts that count; not loading, mining or
    checkpointing."""
    curves: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """Loss of every optimiser step, by stage."""

    def exhausted(self, budget: Budget, examples: int) -> str | None:
        """The limit that another step of so many examples would break, in words; None if it may be taken."""
        if budget.steps is not None and self.steps + 1 > budget.steps:
            return f"{budget.steps} steps"
        if budget.examples is not None and self.examples + examples > budget.examples:
            return f"{budget.examples} examples"
        if budget.seconds is not None and self.seconds >= budget.seconds:
            return f"{budget.seconds} seconds"
        return None

    def add(self, stage: str, loss: float, examples: int, seconds: float) -> None:
        """One optimiser step."""
        self.steps += 1
        self.examples += examples
        self.seconds += seconds
        self.curves.setdefault(stage, []).append(loss)

    def as_json(self) -> dict[str, Any]:
        """As it is kept with a checkpoint."""
        return asdict(self)

"""What a method says of its training: stages, each with its own loss, data and frozen parts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How the optimiser steps."""

    learning_rate: float = 2e-5
    """Peak learning rate of AdamW."""
    warmup: float = 0.1
    """Share of the steps in which it rises linearly from 0."""
    decay: Literal["linear", "cosine", "constant"] = "linear"
    """How it falls afterwards, to 0 at the last step."""
    weight_decay: float = 0.01
    """Of AdamW; not on biases and normalisation weights."""
    clip: float = 1.0
    """Largest norm of the gradient; 0 for no limit."""
    accumulate: int = 1
    """Batches an optimiser step."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of a training with one loss and one kind of batch."""

    name: str
    """Shown beside its loss curve."""
    model: nn.Module
    """Everything whose parameters may learn: the student, heads, a teacher that is trained too."""
    batch: Callable[[int], Any]
    """The batch of a number, from 0: depends on nothing but the number and the seed, so that resuming is exact."""
    loss: Callable[[Any, int], Tensor]
    """Loss of a batch at an optimiser step, a scalar; what it runs goes through `model`'s parts."""
    steps: int
    """Optimiser steps, unless the budget ends before."""
    examples: int
    """Training examples in a batch, for the budget."""
    schedule: Schedule = field(default_factory=Schedule)
    """How the optimiser steps."""
    frozen: tuple[str, ...] = ()
    """Prefixes of parameter names that don't learn in this stage."""
    before: Callable[[], None] | None = None
    """Called once before its first step: mining, taking a copy of the student … Its result must not depend on chance
    other than the seed's, since it is called again when the stage is resumed."""

"""What a method says of its training: stages, each with its own loss, data and frozen parts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How the optimiser steps."""

    learning_rate: float = 2e-5
    """Peak learning rate of AdamW."""
    rates: Mapping[str, float] = field(default_factory=dict[str, float])
    """Factors on it, by prefix of parameter names: heads and codebooks learn faster than encoders. The longest prefix
    that fits counts; where none does, the factor is 1."""
    warmup: float = 0.1
    """Share of the steps in which it rises linearly from 0."""
    decay: Literal["linear", "cosine", "constant"] = "linear"
    """How it falls afterwards, to 0 at the last step."""
    weight_decay: float = 0.01
    """Of AdamW; not on biases and normalisation weights."""
    clip: float = 1.0
    """Largest norm of the gradient; 0 for no limit."""
    accumulate: int = 1
    """Batches an optimiser step, in each process."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of a training with one loss and one kind of batch."""

    name: str
    """Shown beside its loss curve."""
    model: nn.Module
    """Everything whose parameters may learn: the student, heads, a teacher that is trained too."""
    batch: Callable[[int], Any]
    """The batch of a number, from 0: depends on nothing but the number and the seed, so that resuming is exact. Part i
    of n of optimiser step t takes, in process p of m, number (t n + i) m + p: the step sees batches t n m to
    (t + 1) n m - 1, however they are spread."""
    loss: Callable[[Any, int], Tensor]
    """Loss of a batch at an optimiser step, a scalar; what it runs goes through `model`'s parts. The step's loss is the
    mean over parts and processes; nothing is gathered over processes, so in-batch negatives are those of one batch."""
    steps: int
    """Optimiser steps, unless the budget ends before."""
    examples: int
    """Training examples in a batch, for the budget."""
    schedule: Schedule = field(default_factory=Schedule)
    """How the optimiser steps."""
    frozen: tuple[str, ...] = ()
    """Prefixes of parameter names that don't learn in this stage; a parameter of two names (tied weights) does not if
    either fits."""
    before: Callable[[], None] | None = None
    """Called before its first step, in every process, the model in evaluation mode on the device: mining, taking a copy
    of the student, setting weights (but not names or shapes) … Its result must not depend on chance other than the
    seed's, since it is called again when the stage is resumed, though never once it is over."""
    after_backward: Callable[[], None] | None = None
    """Called after each backward pass, before gradients are averaged over processes and clipped:
    `GradientCache.backward`."""

"""AdamW and its learning-rate schedule for a stage."""

import math

import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from harness.errors import ConfigError
from harness.nn.training.stage import Schedule, Stage

PLAIN = 2
"""Parameters of fewer dimensions (biases, normalisation weights) get no weight decay."""


def freeze(stage: Stage) -> None:
    """Let learn what the stage does not freeze, and nothing else.

    Raises:
        ConfigError: a prefix that no parameter has, or nothing left to learn.
    """
    names = [name for name, _ in stage.model.named_parameters()]
    for prefix in stage.frozen:
        if not any(name.startswith(prefix) for name in names):
            raise ConfigError(f"stage {stage.name}: no parameter starts with {prefix!r}; expected one to freeze")
    for name, parameter in stage.model.named_parameters():
        parameter.requires_grad_(not name.startswith(stage.frozen) if stage.frozen else True)
    if not any(parameter.requires_grad for parameter in stage.model.parameters()):
        raise ConfigError(f"stage {stage.name}: all parameters are frozen; expected something to learn")


def optimiser(model: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    """AdamW over what may learn."""
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in learning if p.dim() >= PLAIN], "weight_decay": schedule.weight_decay},
        {"params": [p for p in learning if p.dim() < PLAIN], "weight_decay": 0.0},
    ]
    return AdamW([group for group in groups if group["params"]], lr=schedule.learning_rate)


def scheduler(optimiser: torch.optim.Optimizer, schedule: Schedule, steps: int) -> LambdaLR:
    """The learning rate over the steps of a stage."""
    return LambdaLR(optimiser, lambda step: factor(schedule, step, steps))


def factor(schedule: Schedule, step: int, steps: int) -> float:
    """Share of the peak learning rate at a step, counted from 0."""
    warm = round(schedule.warmup * steps)
    if step < warm:
        return (step + 1) / warm
    left = (steps - step) / max(1, steps - warm)
    shapes = {"linear": left, "cosine": (1 - math.cos(math.pi * left)) / 2, "constant": 1.0}
    return max(0.0, shapes[schedule.decay])

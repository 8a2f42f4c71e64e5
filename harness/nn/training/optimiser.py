"""AdamW over what a stage lets learn, and its learning rates."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

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
    names = _names(stage.model)
    _known(stage.frozen, names, f"stage {stage.name}: freeze")
    for parameter, its in names.items():
        parameter.requires_grad_(not any(name.startswith(stage.frozen) for name in its) if stage.frozen else True)
        parameter.grad = None  # one that something else left would count in the clipped norm
    if not any(parameter.requires_grad for parameter in names):
        raise ConfigError(f"stage {stage.name}: all parameters are frozen; expected something to learn")


def optimiser(model: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    """AdamW over what may learn; what may not is none of its parameters, so that not even weight decay moves it.

    Raises:
        ConfigError: a rate for a prefix that no parameter has, or one that is not above 0.
    """
    names = _names(model)
    _known(schedule.rates, names, "rates")
    if any(rate <= 0 for rate in schedule.rates.values()):
        raise ConfigError(f"rates must be above 0, got {dict(schedule.rates)}; freeze what shall not learn")
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for parameter, its in names.items():
        if parameter.requires_grad:
            groups.setdefault((_rate(its, schedule.rates), parameter.dim() >= PLAIN), []).append(parameter)
    return AdamW([_group(parameters, schedule, *key) for key, parameters in groups.items()], fused=True)


def _group(parameters: list[nn.Parameter], schedule: Schedule, rate: float, decays: bool) -> dict[str, Any]:
    decay = schedule.weight_decay if decays else 0.0
    return {"params": parameters, "lr": rate * schedule.learning_rate, "weight_decay": decay}


def _names(model: nn.Module) -> dict[nn.Parameter, list[str]]:
    """Of each parameter all names: tied weights have several."""
    found: dict[nn.Parameter, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        found.setdefault(parameter, []).append(name)
    return found


def _known(prefixes: Iterable[str], names: Mapping[nn.Parameter, list[str]], what: str) -> None:
    for prefix in prefixes:
        if not any(name.startswith(prefix) for its in names.values() for name in its):
            roots = sorted({its[0].split(".")[0] for its in names.values()})
            raise ConfigError(f"{what}: no parameter starts with {prefix!r}; the first parts of names are {roots}")


def _rate(names: list[str], rates: Mapping[str, float]) -> float:
    fitting = [prefix for prefix in rates if any(name.startswith(prefix) for name in names)]
    return rates[max(fitting, key=len)] if fitting else 1.0


def scheduler(optimiser: torch.optim.Optimizer, schedule: Schedule, steps: int) -> LambdaLR:
    """The learning rates over the steps of a stage."""
    return LambdaLR(optimiser, lambda step: factor(schedule, step, steps))


def factor(schedule: Schedule, step: int, steps: int) -> float:
    """Share of the peak learning rate at a step, counted from 0."""
    warm = round(schedule.warmup * steps)
    if step < warm:
        return (step + 1) / warm
    left = (steps - step) / max(1, steps - warm)
    shapes = {"linear": left, "cosine": (1 - math.cos(math.pi * left)) / 2, "constant": 1.0}
    return max(0.0, shapes[schedule.decay])

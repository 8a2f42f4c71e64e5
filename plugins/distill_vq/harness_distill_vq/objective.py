"""How far scores are from the teacher's."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from harness.nn.losses import cross_entropy, kl, margin_mse, ranknet
from harness_distill_vq import Config

Scores = Float[Tensor, "queries docs"]
Positives = Int[Tensor, " queries"]
"""Column of each query's positive."""
Objective = Callable[[Scores, Scores, Positives], Float[Tensor, ""]]


def objective(config: Config) -> Objective:
    """The function f of the paper: from the student's scores, the teacher's and the positives to a loss."""
    ours, theirs = config.temperature, config.teacher_temperature
    known: dict[str, Objective] = {
        "listnet": lambda student, teacher, _: cross_entropy(student / ours, teacher / theirs),
        "kl": lambda student, teacher, _: kl(student / ours, teacher / theirs),
        "mse": lambda student, teacher, _: functional.mse_loss(student, teacher),
        "margin-mse": _margins,
        "ranknet": lambda student, teacher, _: ranknet(student / ours, teacher),
    }
    return known[config.loss]


def _margins(student: Scores, teacher: Scores, positives: Positives) -> Float[Tensor, ""]:
    """Of the positive over every other document."""
    others = torch.ones_like(student, dtype=torch.bool).scatter(1, positives.unsqueeze(1), False)
    best = partial(torch.gather, dim=1, index=positives.unsqueeze(1))
    pairs = [side for scores in (student, teacher) for side in (best(scores).expand_as(scores)[others], scores[others])]
    return margin_mse(*pairs)

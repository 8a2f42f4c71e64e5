"""Losses over a query's whole candidate list."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from harness.nn.losses.masking import masked


def kl(
    student: Float[Tensor, "queries docs"],
    teacher: Float[Tensor, "queries docs"],
    *,
    student_temperature: float = 1.0,
    teacher_temperature: float = 1.0,
    direction: Literal["forward", "reverse"] = "forward",
    scale: bool = False,
    mask: Bool[Tensor, "queries docs"] | None = None,
) -> Float[Tensor, ""]:
    """Kullback-Leibler divergence between the softmax distributions of teacher and student over each list.

    Args:
        student: student scores.
        teacher: teacher scores; detach them unless the teacher learns too.
        student_temperature: divides the student's scores.
        teacher_temperature: divides the teacher's.
        direction: `forward` is KL(teacher ‖ student), `reverse` KL(student ‖ teacher).
        scale: multiply by student times teacher temperature, so that gradients keep their size (T² where they agree).
        mask: documents that count.

    Source: Hinton et al., 2015 (arXiv:1503.02531), section 2, for temperature and T²; over ranked lists
    Reddi et al., AISTATS 2021.
    """
    log_s = torch.log_softmax(masked(student, mask) / student_temperature, dim=1)
    log_t = torch.log_softmax(masked(teacher, mask) / teacher_temperature, dim=1)
    p, q = (log_t, log_s) if direction == "forward" else (log_s, log_t)
    difference = torch.where(torch.isfinite(p), p - q, 0.0) if mask is not None else p - q
    loss = (p.exp() * difference).sum(dim=1).mean()
    return loss * (student_temperature * teacher_temperature if scale else 1.0)


def cross_entropy(
    student: Float[Tensor, "queries docs"],
    teacher: Float[Tensor, "queries docs"],
    *,
    student_temperature: float = 1.0,
    teacher_temperature: float = 1.0,
    mask: Bool[Tensor, "queries docs"] | None = None,
) -> Float[Tensor, ""]:
    """Cross-entropy of the student's distribution over a list against the teacher's: −Σ softmax(t) log softmax(s).

    Above `kl` by the teacher's entropy: the student's gradient is the same, that of a teacher that learns is not.

    Args:
        student: student scores.
        teacher: teacher scores; detach them unless the teacher learns too.
        student_temperature: divides the student's scores.
        teacher_temperature: divides the teacher's.
        mask: documents that count.

    Source: ListNet with its top-one distribution, Cao et al., ICML 2007.
    """
    log_s = torch.log_softmax(masked(student, mask) / student_temperature, dim=1)
    targets = torch.softmax(masked(teacher, mask) / teacher_temperature, dim=1)
    counted = log_s if mask is None else torch.where(mask, log_s, 0.0)
    return -(targets * counted).sum(dim=1).mean()


def plackett_luce(
    scores: Float[Tensor, "queries docs"],
    order: Int[Tensor, "queries docs"],
    *,
    mask: Bool[Tensor, "queries docs"] | None = None,
    top: int | None = None,
) -> Float[Tensor, ""]:
    """Negative log-likelihood of the teacher's ordering under the Plackett-Luce model (ListMLE).

    Args:
        scores: student scores.
        order: columns of `scores`, the teacher's best first; masked documents last.
        mask: documents that count.
        top: only the first so many choices count.

    Source: Xia et al., ICML 2008; top-k Lan et al., UAI 2014.
    """
    ranked = masked(scores, mask).gather(1, order)
    remaining = torch.logcumsumexp(ranked.flip(1), dim=1).flip(1)
    counted = torch.isfinite(ranked)
    if top is not None:
        counted = counted & (torch.arange(ranked.shape[1], device=ranked.device) < top)
    choices = torch.where(counted, remaining - torch.where(counted, ranked, 0.0), 0.0)
    return choices.sum(dim=1).mean()

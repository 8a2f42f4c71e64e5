"""Losses over pairs of documents of one query."""

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional


def margin_mse(
    student_positive: Float[Tensor, " pairs"],
    student_negative: Float[Tensor, " pairs"],
    teacher_positive: Float[Tensor, " pairs"],
    teacher_negative: Float[Tensor, " pairs"],
) -> Float[Tensor, ""]:
    """Mean squared difference between the margins (s⁺ − s⁻) of student and teacher.

    Source: Hofstätter et al., 2020 (arXiv:2010.02666).
    """
    return functional.mse_loss(student_positive - student_negative, teacher_positive - teacher_negative)


def list_margin_mse(
    student: Float[Tensor, "queries docs"], teacher: Float[Tensor, "queries docs"]
) -> Float[Tensor, ""]:
    """`margin_mse` of the first document of each list, the positive, against every other one.

    Args:
        student: student scores.
        teacher: teacher scores.
    """
    return functional.mse_loss(student[:, :1] - student[:, 1:], teacher[:, :1] - teacher[:, 1:])


def pairwise_bce(margins: Float[Tensor, " pairs"], probabilities: Float[Tensor, " pairs"]) -> Float[Tensor, ""]:
    """Cross-entropy of σ(margin) against soft preferences: mean of −[y log σ(m) + (1 − y) log σ(−m)].

    Above the divergence KL([y, 1 − y] ‖ [σ(m), 1 − σ(m)]) by the entropy of y, which no margin changes.

    Args:
        margins: student's scores of the first document minus those of the second.
        probabilities: the teacher's, that the first is the better one.

    Raises:
        ValueError: a probability outside [0, 1], or no pair at all.

    Source: RankNet with soft targets, Burges et al., ICML 2005, section 3.
    """
    if margins.numel() == 0:
        raise ValueError("no pair in this batch; expected at least one")
    if not bool(((probabilities >= 0) & (probabilities <= 1)).all()):
        least, most = float(probabilities.min()), float(probabilities.max())
        raise ValueError(f"probabilities must lie in [0, 1], got {least} to {most}")
    return functional.binary_cross_entropy_with_logits(margins, probabilities)


def ranknet(
    student: Float[Tensor, "queries docs"],
    teacher: Float[Tensor, "queries docs"],
    *,
    mask: Bool[Tensor, "queries docs"] | None = None,
) -> Float[Tensor, ""]:
    """Logistic loss on every pair that the teacher orders: mean of log(1 + exp(s_low − s_high)).

    The mean is over all pairs of the batch: a query whose documents the teacher orders more finely counts more.

    Args:
        student: student scores.
        teacher: teacher scores or negative ranks; only their order counts, ties are no pairs.
        mask: documents that count.

    Raises:
        ValueError: if the teacher orders no pair at all.

    Source: Burges et al., ICML 2005.
    """
    higher = teacher.unsqueeze(2) > teacher.unsqueeze(1)  # [q, i, j]: document i above document j
    if mask is not None:
        higher = higher & mask.unsqueeze(2) & mask.unsqueeze(1)
    if not bool(higher.any()):
        raise ValueError("the teacher orders no pair of documents in this batch; expected scores that differ")
    margins = student.unsqueeze(2) - student.unsqueeze(1)
    return functional.softplus(-margins[higher]).mean()

"""How far a student's representations are from its teacher's; of padding nothing counts.

Source: the losses of TinyBERT, Jiang et al., Findings of EMNLP 2020 (arXiv:1909.10351), equations 7 to 9, which the
paper takes over.
"""

from collections.abc import Sequence

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional


def layer_map(student: int, teacher: int) -> list[int]:
    """The teacher's layer for each of the student's, counted from 0: evenly spread, the last for the last."""
    return [-(-(layer + 1) * teacher // student) - 1 for layer in range(student)]


def projection(student: int, teacher: int) -> nn.Linear:
    """From the student's width to the teacher's; at first an identity, cut or filled up with zeros."""
    made = nn.Linear(student, teacher, bias=False)
    nn.init.eye_(made.weight)
    return made


def hidden_loss(
    student: Float[Tensor, "pairs layers dim"],
    teacher: Float[Tensor, "pairs teacher_layers width"],
    project: nn.Module,
    layers: Sequence[int],
) -> Float[Tensor, ""]:
    """Sum over the student's layers of the mean squared error of its projected states; `layers` from `layer_map`."""
    pairs = [functional.mse_loss(project(student[:, own]), teacher[:, its]) for own, its in enumerate(layers)]
    return sum(pairs[1:], pairs[0])


def attention_loss(
    student: Float[Tensor, "pairs layers heads tokens tokens"],
    teacher: Float[Tensor, "pairs teacher_layers heads tokens tokens"],
    mask: Bool[Tensor, "pairs tokens"],
    layers: Sequence[int],
) -> Float[Tensor, ""]:
    """Sum over the student's layers of the mean squared error of attention logits between tokens that count."""
    counted = (mask.unsqueeze(1) & mask.unsqueeze(2)).unsqueeze(1).expand_as(student[:, 0])
    pairs = [functional.mse_loss(student[:, own][counted], teacher[:, its][counted]) for own, its in enumerate(layers)]
    return sum(pairs[1:], pairs[0])


def embedding_loss(
    student: Float[Tensor, "pairs tokens dim"],
    teacher: Float[Tensor, "pairs tokens width"],
    project: nn.Module,
    mask: Bool[Tensor, "pairs tokens"],
) -> Float[Tensor, ""]:
    """Mean squared error of the projected embeddings of the tokens that count."""
    return functional.mse_loss(project(student[mask]), teacher[mask])

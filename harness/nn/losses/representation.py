"""Losses over vectors instead of scores."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from harness.nn.exact import all_products


def mse(student: Float[Tensor, "texts dim"], teacher: Float[Tensor, "texts dim"]) -> Float[Tensor, ""]:
    """Mean over texts of the squared Euclidean distance between the vectors.

    Source: Reimers and Gurevych, EMNLP 2020 (arXiv:2004.09813), without the division by the dimension.
    """
    return (student - teacher).pow(2).sum(dim=1).mean()


def cosine(student: Float[Tensor, "texts dim"], teacher: Float[Tensor, "texts dim"]) -> Float[Tensor, ""]:
    """Mean over texts of one minus the cosine of the angle between the vectors.

    Source: the cosine term of Jasper and Stella (arXiv:2412.19048).
    """
    return (1 - functional.cosine_similarity(student, teacher, dim=1)).mean()


def relation(student: Float[Tensor, "texts dim"], teacher: Float[Tensor, "texts width"]) -> Float[Tensor, ""]:
    """Mean squared difference between the cosine matrices of the batch; the widths may differ.

    Source: similarity loss of Jasper and Stella (arXiv:2412.19048); relational distillation goes back to Park et al.,
    CVPR 2019.
    """
    ours, theirs = functional.normalize(student, dim=1), functional.normalize(teacher, dim=1)
    return functional.mse_loss(all_products(ours, ours), all_products(theirs, theirs))

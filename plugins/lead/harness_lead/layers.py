"""Which layers are paired, what a layer of the teacher counts, and the divergence of pairs.

Source: Sun et al. 2024 and the authors' code (`select_layer`, `layer_score_dis_loss`).
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.nn.losses import info_nce, kl

LayerScores = Float[Tensor, "queries docs layers"]


def draw(seed: int, turn: int, teacher: int, student: int, count: int) -> tuple[list[int], list[int]]:
    """Layers of the teacher and of the student, each ascending, to be paired by their order.

    Args:
        seed: of the training.
        turn: how often layers were drawn before.
        teacher: layers that it has.
        student: the same.
        count: pairs wanted; fewer if one of them has fewer layers.
    """
    chance, pairs = np.random.default_rng((seed, turn)), min(teacher, student, count)
    first, second = (np.sort(chance.choice(layers, pairs, replace=False)).tolist() for layers in (teacher, student))
    return first, second


def layer_weights(teacher: LayerScores, temperature: float) -> Float[Tensor, " layers"]:
    """A share for each layer of the teacher: the larger, the likelier it thinks the positives, in column 0."""
    lists, _, layers = teacher.shape
    positives = torch.zeros(lists, dtype=torch.long, device=teacher.device)
    losses = torch.stack([info_nce(teacher[:, :, layer], positives) for layer in range(layers)])
    return torch.softmax(-losses / temperature, dim=0).detach()


def layer_loss(student: LayerScores, teacher: LayerScores, weights: Float[Tensor, " layers"]) -> Float[Tensor, ""]:
    """Weighted sum over pairs of layers of KL(teacher ‖ student)."""
    pairs = [kl(student[:, :, pair], teacher[:, :, pair]) for pair in range(student.shape[2])]
    return (weights * torch.stack(pairs)).sum()

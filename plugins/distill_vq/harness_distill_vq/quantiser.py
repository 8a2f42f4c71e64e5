"""An inverted file with product quantisation whose centroids and codewords learn."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from harness_distill_vq.start import Start


class Reconstructed(NamedTuple):
    """What the index makes of vectors, rotated."""

    coarse: Float[Tensor, "docs dim"]
    """Their lists' centroids."""
    whole: Float[Tensor, "docs dim"]
    """The same with a codeword for each part of what remains."""


class Quantiser(nn.Module):
    """Vectors → list and codewords, and back, with gradients.

    The list of a vector is that of the nearest starting centroid, so that it stays the same while centroids move. What
    remains is coded anew with the codewords as they are; the choice passes the gradient of a softmax over distances.

    Source: Xiao et al., SIGIR 2022 (arXiv:2204.00185), with the straight-through choice of Bengio et al., 2013.
    """

    rotation: Tensor
    anchors: Tensor

    def __init__(self, dim: int, *, lists: int, parts: int, words: int, temperature: float = 1.0) -> None:
        """All zeros; see `fill`."""
        super().__init__()
        self._temperature = temperature
        self.centroids = nn.Parameter(torch.zeros(lists, dim))
        self.codebooks = nn.Parameter(torch.zeros(parts, words, dim // parts))
        self.register_buffer("rotation", torch.eye(dim))
        self.register_buffer("anchors", torch.zeros(lists, dim))

    def fill(self, start: Start) -> None:
        """Begin from here."""
        with torch.no_grad():
            self.rotation.copy_(torch.from_numpy(start.rotation))
            self.anchors.copy_(torch.from_numpy(start.centroids))
            self.centroids.copy_(self.anchors)
            self.codebooks.copy_(torch.from_numpy(start.codebooks))

    def turned(self, vectors: Float[Tensor, "texts dim"]) -> Float[Tensor, "texts dim"]:
        """The rotated vectors, to be compared with reconstructed ones."""
        return vectors @ self.rotation.T

    def forward(self, vectors: Float[Tensor, "docs dim"]) -> Reconstructed:
        """Reconstruct documents."""
        turned = self.turned(vectors)
        coarse = self.centroids[self.lists(turned)]
        closeness = self._closeness(turned - coarse)
        soft = torch.softmax(closeness / self._temperature, dim=2)
        hard = functional.one_hot(closeness.argmax(dim=2), closeness.shape[2]).to(soft.dtype)
        choice = hard + (soft - soft.detach())
        return Reconstructed(coarse, coarse + torch.einsum("dmw,mws->dms", choice, self.codebooks).flatten(1))

    @torch.no_grad()
    def codes(self, vectors: Float[Tensor, "docs dim"]) -> tuple[Int[Tensor, " docs"], Int[Tensor, "docs parts"]]:
        """The list of each document, and the number of its codeword in each part."""
        turned = self.turned(vectors)
        lists = self.lists(turned)
        return lists, self._closeness(turned - self.centroids[lists]).argmax(dim=2)

    def lists(self, turned: Float[Tensor, "docs dim"]) -> Int[Tensor, " docs"]:
        """The list of each rotated vector."""
        return (2 * turned @ self.anchors.T - self.anchors.pow(2).sum(dim=1)).argmax(dim=1)

    def _closeness(self, remaining: Float[Tensor, "docs dim"]) -> Float[Tensor, "docs parts words"]:
        """Minus the squared distance of each part to each of its codewords."""
        parts, _, short = self.codebooks.shape
        split = remaining.view(-1, parts, short)
        products = torch.einsum("dms,mws->dmw", split, self.codebooks)
        return 2 * products - self.codebooks.pow(2).sum(dim=2) - split.pow(2).sum(dim=2, keepdim=True)

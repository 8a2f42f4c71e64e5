"""The first pass on a CUDA device."""

from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from harness.index.bounds import Rounded, error, lengths
from harness.index.firstpass import Found

DOCS = 1 << 16
"""Documents multiplied at once."""
TF32 = 2.0**-10
"""Largest relative error of rounding to TF32, by whichever rounding."""


class DevicePass:
    """In float32 on the device that encoded, by torch; only what reaches its floor comes back."""

    docs = DOCS
    rounding = 0.0

    def __init__(self, queries: Float32[np.ndarray, "queries dim"], device: str) -> None:
        """Copies the queries there."""
        import torch

        self._torch, self._device = torch, torch.device(device)
        cuda = self._device.type == "cuda"
        self._lost = TF32 if cuda else 0.0  # torch may be told at any time to take TF32 for float32
        self._lengths = lengths(queries)
        self.shift = np.zeros(len(queries))
        self._queries = torch.from_numpy(queries.copy()).to(self._device)
        self._documents = torch.empty(self.docs, queries.shape[1], pin_memory=cuda)

    def product(self, documents: Float32[np.ndarray, "docs dim"]) -> Any:
        """See `FirstPass`."""
        block = self._documents[: len(documents)]
        np.copyto(block.numpy(), documents)  # torch warns of memory that it may not write to, such as a mapped file's
        return block.to(self._device) @ self._queries.T

    def off(self, document: float) -> Float64[np.ndarray, " queries"]:
        """See `FirstPass`."""
        query = Rounded(self._lengths, self._lost * self._lengths)
        return error(query, Rounded(document, self._lost * document), self._queries.shape[1])

    def kth(self, product: Any, k: int) -> Float32[np.ndarray, " queries"]:
        """See `FirstPass`."""
        return self._torch.topk(product, k, dim=0).values[-1].cpu().numpy()

    def reaching(self, product: Any, floors: Float32[np.ndarray, " queries"]) -> Found:
        """See `FirstPass`."""
        mask = product >= self._torch.from_numpy(floors).to(self._device)
        places = mask.view(-1).nonzero().view(-1)
        return places.cpu().numpy(), product.view(-1)[places].cpu().numpy()

"""The first pass in bfloat16."""

import sys

import numpy as np
from jaxtyping import Float32, Float64, Int16

from harness.index.bounds import SINGLE, Rounded, error, lengths, longest
from harness.index.firstpass import DOCS, Found, kth

BFLOAT16 = 2.0**-8
"""Largest relative error of rounding to bfloat16."""


class HalfPass:
    """In bfloat16 with sums in float32, by torch: about twice as fast where the processor multiplies bfloat16 itself.

    Documents are multiplied without what they have in common, their centre, whose scores are `shift`: what is shorter
    loses less when it is rounded. With c the centre, q·d = q·c + q·(d − c), and d − c is itself rounded to float32; no
    bound relies on what c is, and ‖c‖ ≤ ‖d‖ + ‖d − c‖ covers the error of `shift`, which is float64's.

    Products are compared as the integers that their bits are: torch's own comparison takes as long as the product.
    """

    docs = DOCS
    rounding = BFLOAT16

    def __init__(
        self, queries: Float32[np.ndarray, "queries dim"], centre: Float32[np.ndarray, " dim"] | None = None
    ) -> None:
        """Rounds the queries, and takes memory for one block."""
        import torch

        self._torch = torch
        number, dim = queries.shape
        self._centre = np.zeros(dim, np.float32) if centre is None else centre
        self.shift = queries.astype(np.float64) @ self._centre
        self._queries = torch.from_numpy(queries.copy()).bfloat16()
        self._query = Rounded(lengths(queries), lengths(queries - self._queries.float().numpy()))
        self._single, self._document = torch.empty(self.docs, dim), Rounded(0.0)
        self._documents = torch.empty(self.docs, dim, dtype=torch.bfloat16)
        self._product = torch.empty(self.docs, number, dtype=torch.bfloat16)
        self._mask = np.empty((self.docs, number), np.bool_)

    def product(self, documents: Float32[np.ndarray, "docs dim"]) -> Int16[np.ndarray, "docs queries"]:
        """See `FirstPass`."""
        docs = slice(len(documents))
        single, rounded = self._single[docs], self._documents[docs]
        np.subtract(documents, self._centre, out=single.numpy())
        rounded.copy_(single)
        length = longest(single.numpy())
        self._document = Rounded(length, longest(single.sub_(rounded).numpy()) + 2 * SINGLE * length)
        product = self._torch.mm(rounded, self._queries.T, out=self._product[docs])
        return product.view(self._torch.int16).numpy()

    def off(self, document: float) -> Float64[np.ndarray, " queries"]:
        """See `FirstPass`."""
        scoring = 2 * SINGLE * self._query.length * document
        return error(self._query, self._document, self._queries.shape[1]) + scoring

    def kth(self, product: Int16[np.ndarray, "docs queries"], k: int) -> Float32[np.ndarray, " queries"]:
        """See `FirstPass`."""
        return kth(_as_single(product), k)

    def reaching(self, product: Int16[np.ndarray, "docs queries"], floors: Float32[np.ndarray, " queries"]) -> Found:
        """See `FirstPass`."""
        least = self._torch.from_numpy(floors).bfloat16().view(self._torch.int16).numpy()
        positive = least.min() > 0
        keys, least = (product, least) if positive else (_sortable(product), _sortable(least))
        places = np.flatnonzero(np.greater_equal(keys, least, out=self._mask[: len(product)]))
        return places, _as_single(product.ravel()[places])


def half_is_possible() -> bool:
    """Whether `HalfPass` sums in float32 here, and needs no import: whoever encoded with torch has it loaded."""
    torch = sys.modules.get("torch")
    return bool(
        torch and torch.backends.cpu.get_cpu_capability() == "AVX512" and torch.backends.mkldnn.is_available()
    )  # elsewhere torch may sum in bfloat16


def _as_single(bits: Int16[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """Numbers in bfloat16, given by their bits, as float32, whose upper half they are."""
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def _sortable(bits: Int16[np.ndarray, "*shape"]) -> Int16[np.ndarray, "*shape"]:
    """Integers that compare as the numbers in bfloat16 with these bits do; 0.0 is made -0.0, which is equal."""
    keys = bits ^ ((bits >> 15) & np.int16(0x7FFF))
    return np.where(keys == 0, np.int16(-1), keys)

"""Fast products of documents and queries, which say who can be among the best; `harness.index.dots` then scores those.

Each pass multiplies in a precision and on a device of its own, and knows how far its products may lie from the scores.
"""

from typing import Any, Protocol

import numpy as np
from jaxtyping import Float32, Float64, Int64

from harness.index.bounds import Rounded, error, lengths

DOCS = 2048
"""Documents multiplied at once: their scores with 1,000 queries (8 MB) stay in a processor's last cache."""

Found = tuple[Int64[np.ndarray, " pairs"], Float32[np.ndarray, " pairs"]]
"""Places in a product laid flat (document by document), and the values there."""


class FirstPass(Protocol):
    """Multiplies blocks of documents with all queries."""

    docs: int
    """Documents of a block, at most."""
    rounding: float
    """Largest relative error of rounding a product once it is summed."""
    shift: Float64[np.ndarray, " queries"]
    """What a product lacks to a score, apart from errors."""

    def product(self, documents: Float32[np.ndarray, "docs dim"]) -> Any:
        """All products, docs × queries, in a form of its own; overwritten by the next call."""
        ...

    def off(self, document: float) -> Float64[np.ndarray, " queries"]:
        """How far the last products may lie from the scores, apart from `rounding`, if no document is longer."""
        ...

    def kth(self, product: Any, k: int) -> Float32[np.ndarray, " queries"]:
        """The k-th largest product of each query; `k` is at most the number of documents."""
        ...

    def reaching(self, product: Any, floors: Float32[np.ndarray, " queries"]) -> Found:
        """The products that are no smaller than their query's floor."""
        ...


class SinglePass:
    """In float32, by numpy."""

    docs = DOCS
    rounding = 0.0

    def __init__(self, queries: Float32[np.ndarray, "queries dim"]) -> None:
        """Takes the queries, and memory for one block."""
        number = len(queries)
        self.shift = np.zeros(number)
        self._queries, self._lengths = np.ascontiguousarray(queries), lengths(queries)
        self._product = np.empty((self.docs, number), np.float32)
        self._mask = np.empty((self.docs, number), np.bool_)

    def product(self, documents: Float32[np.ndarray, "docs dim"]) -> Float32[np.ndarray, "docs queries"]:
        """See `FirstPass`."""
        return np.matmul(documents, self._queries.T, out=self._product[: len(documents)])

    def off(self, document: float) -> Float64[np.ndarray, " queries"]:
        """See `FirstPass`."""
        return error(Rounded(self._lengths), Rounded(document), self._queries.shape[1])

    def kth(self, product: Float32[np.ndarray, "docs queries"], k: int) -> Float32[np.ndarray, " queries"]:
        """See `FirstPass`."""
        return kth(product, k)

    def reaching(self, product: Float32[np.ndarray, "docs queries"], floors: Float32[np.ndarray, " queries"]) -> Found:
        """See `FirstPass`."""
        places = np.flatnonzero(np.greater_equal(product, floors, out=self._mask[: len(product)]))
        return places, product.ravel()[places]


def kth(product: Float32[np.ndarray, "docs queries"], k: int) -> Float32[np.ndarray, " queries"]:
    """The `k`-th largest number of each column."""
    return np.partition(product, len(product) - k, axis=0)[len(product) - k]

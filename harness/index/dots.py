"""The score of dense retrieval, and how far a faster product may lie from it.

A score is the dot product of two float32 vectors, rounded to float64 and then to float32. It depends on nothing else:
not on the block that a document stands in, the order of a sum, the number of threads, the library that multiplies or
the device. It is computed in float64, where the products of components are exact, and summed again without any error
(by `math.fsum`) where the sum lies so near the middle between two float32 numbers that its own error matters.
"""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64

from harness.index.bounds import lengths, roots
from harness.scoring.order import by_query

DOUBLE = 2.0**-52
"""Twice the largest relative error of rounding to float64."""
AT_ONCE = 1024
"""Documents multiplied at once."""
CROWD = 8
"""If a pair in so many is wanted, all are multiplied."""

Sums = tuple[Float64[np.ndarray, " pairs"], Float64[np.ndarray, " pairs"]]
"""Dot products, and squared lengths of documents as float32 sums them."""


def dots(
    queries: Float32[np.ndarray, "queries dim"],
    documents: Float32[np.ndarray, "docs dim"],
    query: Int32[np.ndarray, " pairs"],
    row: Int32[np.ndarray, " pairs"],
) -> Float32[np.ndarray, " pairs"]:
    """The scores of pairs of a query and a document, each given by its place."""
    crowded = len(row) * CROWD >= len(queries) * len(documents)
    sums, squares = (_of_all if crowded else _of_few)(queries.astype(np.float64), documents, query, row)
    dim = queries.shape[1]
    off = dim * DOUBLE * lengths(queries)[query] * roots(squares, dim)
    scores = (sums - off).astype(np.float32)
    for pair in np.flatnonzero(scores != (sums + off).astype(np.float32)):
        products = queries[query[pair]].astype(np.float64) * documents[row[pair]]
        scores[pair] = math.fsum(products.tolist())
    return scores


def _of_few(
    queries: Float64[np.ndarray, "queries dim"],
    documents: Float32[np.ndarray, "docs dim"],
    query: Int32[np.ndarray, " pairs"],
    row: Int32[np.ndarray, " pairs"],
) -> Sums:
    """Query by query."""
    sums, squares = np.empty(len(row)), np.empty(len(row))
    for pairs in _groups(by_query(query, len(queries)), np.bincount(query, minlength=len(queries))):
        vectors = documents[row[pairs]]
        sums[pairs] = vectors.astype(np.float64) @ queries[query[pairs[0]]]
        squares[pairs] = np.einsum("ij,ij->i", vectors, vectors)
    return sums, squares


def _of_all(
    queries: Float64[np.ndarray, "queries dim"],
    documents: Float32[np.ndarray, "docs dim"],
    query: Int32[np.ndarray, " pairs"],
    row: Int32[np.ndarray, " pairs"],
) -> Sums:
    """All queries with one block of documents after the other."""
    sums, squares = np.empty(len(row)), np.empty(len(row))
    order = np.argsort(row, kind="stable")
    starts = range(0, len(documents), AT_ONCE)
    for start, pairs in zip(starts, np.split(order, np.searchsorted(row[order], starts[1:])), strict=True):
        vectors, place = documents[start : start + AT_ONCE], row[pairs] - start
        sums[pairs] = (vectors.astype(np.float64) @ queries.T)[place, query[pairs]]
        squares[pairs] = np.einsum("ij,ij->i", vectors, vectors)[place]
    return sums, squares


def _groups(
    order: Int64[np.ndarray, " pairs"], counts: Int64[np.ndarray, " queries"]
) -> Iterator[Int64[np.ndarray, " group"]]:
    """Pairs of one query each, `AT_ONCE` at most."""
    stop = 0
    for count in counts.tolist():
        start, stop = stop, stop + count
        yield from (order[first : min(first + AT_ONCE, stop)] for first in range(start, stop, AT_ONCE))

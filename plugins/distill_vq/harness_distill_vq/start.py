"""The index before it learns: IVF centroids and PQ codebooks by k-means, and the rotation of OPQ."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from harness.errors import ConfigError

Vectors = Float32[np.ndarray, "docs dim"]
Codebooks = Float32[np.ndarray, "parts words short"]
ROUNDS = 15
"""Of k-means, and of rotation and k-means in turn."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a `Quantiser` begins with."""

    rotation: Float32[np.ndarray, "dim dim"]
    """Orthonormal; a vector is multiplied by it before anything else."""
    centroids: Float32[np.ndarray, "lists dim"]
    """Of rotated vectors."""
    codebooks: Codebooks
    """Of what remains of them."""


def begin(vectors: Vectors, *, lists: int, parts: int, words: int, rotate: bool, seed: int) -> Start:
    """An index that minimises the error of these vectors, or nearly does.

    Raises:
        ConfigError: fewer vectors than lists or codewords, or a length that the parts don't divide.
    """
    docs, dim = vectors.shape
    if dim % parts:
        raise ConfigError(f"parts: expected a divisor of {dim}, the student's dimension, got {parts}")
    if docs < max(lists, words):
        raise ConfigError(
            f"expected at least {max(lists, words)} documents to start {lists} lists and {words} codewords from, got "
            f"{docs}; lower lists and bits, or raise sample"
        )
    rotation = _rotation(vectors, parts, words, seed) if rotate else np.eye(dim, dtype=np.float32)
    turned = vectors @ rotation.T
    centroids = kmeans(turned, drawn(turned, lists, seed))
    remaining = turned - centroids[nearest(turned, centroids)]
    return Start(rotation=rotation, centroids=centroids, codebooks=_codebooks(remaining, parts, words, seed))


def kmeans(points: Vectors, centres: Vectors, rounds: int = ROUNDS) -> Vectors:
    """These centres moved to the means of the points nearest to them; one without points goes to the farthest point."""
    for _ in range(rounds):
        chosen = nearest(points, centres)
        counts = np.bincount(chosen, minlength=len(centres))
        sums = np.zeros_like(centres)
        np.add.at(sums, chosen, points)
        moved = sums / np.maximum(counts, 1)[:, None]
        if empty := np.flatnonzero(counts == 0).tolist():
            far = np.argsort(-np.square(points - centres[chosen]).sum(axis=1), kind="stable")
            moved[empty] = points[far[: len(empty)]]
        centres = moved.astype(np.float32)
    return centres


def drawn(points: Vectors, count: int, seed: int) -> Vectors:
    """Different points, as first centres."""
    return points[np.random.default_rng(seed).permutation(len(points))[:count]]


def nearest(points: Vectors, centres: Vectors) -> Int64[np.ndarray, " docs"]:
    """The centre of the least Euclidean distance."""
    return np.argmax(2 * points @ centres.T - np.square(centres).sum(axis=1), axis=1)


def _codebooks(vectors: Vectors, parts: int, words: int, seed: int) -> Codebooks:
    return np.stack([kmeans(part, drawn(part, words, seed)) for part in np.split(vectors, parts, axis=1)])


def _rotation(vectors: Vectors, parts: int, words: int, seed: int) -> Float32[np.ndarray, "dim dim"]:
    """Orthonormal, so that product quantisation of the rotated vectors loses little.

    Source: Ge et al., CVPR 2013: the parametric solution, then codewords and rotation in turn.
    """
    rotation = _balanced(vectors, parts)
    books = [drawn(part, words, seed) for part in np.split(vectors @ rotation.T, parts, axis=1)]
    for _ in range(ROUNDS):
        split = np.split(vectors @ rotation.T, parts, axis=1)
        books = [kmeans(part, book, rounds=1) for part, book in zip(split, books, strict=True)]
        coded = np.hstack([book[nearest(part, book)] for part, book in zip(split, books, strict=True)])
        left, _, right = np.linalg.svd(coded.T @ vectors)
        rotation = (left @ right).astype(np.float32)
    return rotation


def _balanced(vectors: Vectors, parts: int) -> Float32[np.ndarray, "dim dim"]:
    """The principal directions, dealt out so that the product of the variances is about the same in each part."""
    centred = (vectors - vectors.mean(axis=0)).astype(np.float64)
    variances, directions = np.linalg.eigh(centred.T @ centred)
    logs = np.log(np.maximum(variances, 1e-12 * variances.max()))
    dealt: list[list[int]] = [[] for _ in range(parts)]
    for place in range(len(logs))[::-1]:
        open_parts = [part for part in dealt if len(part) < len(logs) // parts]
        min(open_parts, key=lambda part: float(logs[part].sum()) if part else -np.inf).append(place)
    return directions.T[[place for part in dealt for place in part]].astype(np.float32)

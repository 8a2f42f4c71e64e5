"""Matrices that shorten vectors and nearly keep their inner products."""

import numpy as np
from jaxtyping import Float32

from harness.errors import ConfigError

Vectors = Float32[np.ndarray, "texts dim"]
Matrix = Float32[np.ndarray, "short dim"]
"""Orthonormal rows: the short vector of e is W e."""


def pca(vectors: Vectors, dim: int) -> Matrix:
    """The `dim` directions of the largest variance, largest first; the sign makes each one's largest number positive.

    Raises:
        ConfigError: more directions than the vectors have.
    """
    _check(vectors.shape[1], dim)
    centred = (vectors - vectors.mean(axis=0)).astype(np.float64)
    found = np.linalg.eigh(centred.T @ centred).eigenvectors[:, ::-1].T[:dim]
    largest = np.take_along_axis(found, np.abs(found).argmax(axis=1, keepdims=True), axis=1)
    return (found * np.sign(largest)).astype(np.float32)


def random(width: int, dim: int, seed: int) -> Matrix:
    """As many orthonormal directions, drawn from the seed.

    Raises:
        ConfigError: more directions than vectors of this width have.
    """
    _check(width, dim)
    drawn = np.random.default_rng(seed).standard_normal((width, dim))
    return np.linalg.qr(drawn).Q.T.astype(np.float32)


def identity(width: int, dim: int) -> Matrix:
    """Shortens nothing.

    Raises:
        ConfigError: the student's vectors shall not be as long as the teacher's.
    """
    if dim != width:
        raise ConfigError(
            f"dim: expected {width}, the teacher's dimension, as targets=teacher shortens nothing; got {dim}"
        )
    return np.eye(dim, dtype=np.float32)


def inner_product_error(vectors: Vectors, matrix: Matrix) -> float:
    """Mean squared change of the inner products between the vectors, over the mean square of the products."""
    before, short = vectors @ vectors.T, vectors @ matrix.T
    return float(np.square(short @ short.T - before).mean() / np.square(before).mean())


def _check(width: int, dim: int) -> None:
    if dim > width:
        raise ConfigError(f"dim: expected at most {width}, the teacher's dimension, got {dim}; lower it")

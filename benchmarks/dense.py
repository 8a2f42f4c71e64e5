"""Exact dense search from a mapped file against faiss and numpy, which hold all vectors in memory.

Vectors are unit vectors in clusters of clusters around a direction that all share, as those of encoders are. All use
the same threads; ours has seen its documents' lengths before, as the peers have their vectors in memory.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import faiss
import numpy as np
import torch

from benchmarks.corpus import Corpus
from benchmarks.measure import Row, in_turn, main, threads
from benchmarks.memory import peak
from harness.index import exact
from harness.index.dense import DenseIndex
from harness.index.halfpass import half_is_possible

SIZES = 100_000, 1_000_000
QUERIES, DIM, K = 1000, 384, 100
LARGE, SMALL = 50, 4000
"""Clusters, and clusters within them."""
SHARES = 0.09, 0.16, 0.25, 0.5
"""Of a vector's squared length: what all share, its large cluster, its small cluster, and its own."""
PART = 20_000
"""Vectors made at once."""
AT_ONCE = 100
"""Queries that numpy takes at once: the scores of all would be 4 GB, their places 8 GB."""
NEAR = 2e-6
"""How far the peers' float32 sums may lie from ours, which are exact: documents so near may change places."""

Found = tuple[np.ndarray, np.ndarray]
"""Rows and scores."""


def rows(runs: int) -> Iterator[Row]:
    torch.set_num_threads(threads())
    faiss.omp_set_num_threads(threads())
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="dense-") as folder:
            yield from Comparison(Path(folder), size, runs).rows()


@dataclass(frozen=True)
class Mixture:
    """Where vectors come from."""

    chance: np.random.Generator

    @cached_property
    def centres(self) -> np.ndarray:
        """Of the small clusters."""
        common, large, small = (self._normal(number) for number in (1, LARGE, SMALL))
        shares = np.sqrt(SHARES)
        return shares[0] * common + shares[1] * large[np.arange(SMALL) % LARGE] + shares[2] * small

    def vectors(self, number: int) -> np.ndarray:
        """Unit vectors, number × dim."""
        own = np.sqrt(SHARES[3]) * self._normal(number)
        vectors = self.centres[self.chance.integers(0, SMALL, number)] + own
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def _normal(self, number: int) -> np.ndarray:
        return self.chance.standard_normal((number, DIM), dtype=np.float32) / np.sqrt(DIM)


class Comparison:
    """One corpus searched by all."""

    def __init__(self, folder: Path, size: int, runs: int) -> None:
        mixture = Mixture(np.random.default_rng(0))
        self._runs, self._size = runs, size
        self._queries = mixture.vectors(QUERIES)
        blocks = (mixture.vectors(PART) for _ in range(0, size, PART))
        self._index = DenseIndex.build(folder, Corpus(size), blocks)
        self._vectors = np.fromfile(folder / "vectors.bin", np.float32).reshape(size, DIM)
        self._faiss = faiss.IndexFlatIP(DIM)

    def rows(self) -> Iterator[Row]:
        """All peers in turn."""
        yield self._row("numpy matmul and argpartition", self._by_numpy, half=False, goal=None)
        self._faiss.add(self._vectors)
        self._vectors = self._vectors[:0]  # faiss has a copy
        yield self._row("faiss IndexFlatIP", self._by_faiss, half=False, goal=1.0)
        if half_is_possible():
            yield self._row("faiss IndexFlatIP", self._by_faiss, half=True, goal=1.15)

    def _row(self, name: str, peer: Callable[[], Found], half: bool, goal: float | None) -> Row:
        ours, theirs = Kept(lambda: self._ours(half)), Kept(peer)
        runs = in_turn(ours, theirs, self._runs)
        with peak() as most:
            again = self._ours(half)
        for found in ours.kept:
            assert all(np.array_equal(*pair) for pair in zip(found, again, strict=True)), "two runs differ"
        return Row(
            work=f"exact top-{K}, {QUERIES:,} queries × {self._size:,} × {DIM}",
            peer_name=name,
            runs=runs,
            goal=goal if self._size == max(SIZES) else None,
            mode="bf16 first pass where faster, exact" if half else "fp32",
            found=_agreement(again, theirs.kept) | {"MB beside the map": most[0] / 1e6},
        )

    def _ours(self, half: bool) -> Found:
        """As the harness searches, with or without the right to try bfloat16."""
        with patch.object(exact, "half_is_possible", lambda: half):
            return self._index.search(self._queries, K)

    def _by_faiss(self) -> Found:
        scores, found = self._faiss.search(self._queries, K)
        return found, scores

    def _by_numpy(self) -> Found:
        parts = [self._best(self._queries[start : start + AT_ONCE]) for start in range(0, QUERIES, AT_ONCE)]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _best(self, queries: np.ndarray) -> Found:
        scores = queries @ self._vectors.T
        found = np.argpartition(scores, -K, axis=1)[:, -K:]
        values = np.take_along_axis(scores, found, axis=1)
        order = np.argsort(-values, axis=1)
        return np.take_along_axis(found, order, axis=1), np.take_along_axis(values, order, axis=1)


class Kept:
    """Work whose results are kept."""

    def __init__(self, work: Callable[[], Found]) -> None:
        self._work = work
        self.kept: list[Found] = []

    def __call__(self) -> None:
        """Do it."""
        self.kept.append(self._work())


def _agreement(ours: Found, theirs: list[Found]) -> dict[str, Any]:
    """How equal the rankings are; those that differ by more than near ties are refused."""
    apart = max(float(np.abs(ours[1] - scores).max()) for _, scores in theirs)
    assert apart <= NEAR, f"scores differ by {apart}"
    return {"same place": min(float((ours[0] == found).mean()) for found, _ in theirs), "scores apart": apart}


if __name__ == "__main__":
    main(rows)

"""Exact search: a fast pass says who can be among the best, and scores decide."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
from jaxtyping import Float32, Float64, Int32

from harness.index.best import Ranking, merged
from harness.index.bounds import check, lengths
from harness.index.devicepass import DevicePass
from harness.index.firstpass import FirstPass, SinglePass
from harness.index.halfpass import HalfPass, half_is_possible
from harness.index.pool import Pairs, Pool
from harness.index.threads import one_each

WORTH = 10**10
"""Multiplications from which on it is worth trying whether bfloat16 is faster (0.2 s in float32)."""
SPARSE = 128
"""Documents for each that is wanted, from which on what bfloat16 can't tell apart costs less than it saves."""

Vectors = Float32[np.ndarray, "docs dim"]


def search(
    vectors: Vectors,
    queries: Float32[np.ndarray, "queries dim"],
    k: int,
    id_rank: Int32[np.ndarray, " docs"],
    longest: Callable[[slice], float],
    devices: Sequence[str] = ("cpu",),
) -> Ranking:
    """The documents with the highest scores (see `harness.index.dots`), under the tie rule.

    Args:
        vectors: of the documents; read block by block.
        queries: their vectors.
        k: how many documents are wanted.
        id_rank: position of each row's id among all ids in ascending order.
        longest: bound of the length of the longest vector among some rows.
        devices: torch device names, of one kind; each looks through a part of the documents, at the same time. All but
            CUDA devices leave the work to the processor, which needs no torch.

    Raises:
        ScoreError: a score could be no number.
    """
    if not k:
        return np.empty((len(queries), 0), np.int32), np.empty((len(queries), 0), np.float32)

    reach = np.full(len(queries), -np.inf, np.float32)

    def part(first: FirstPass) -> Ranking:
        scan = _Scan(vectors, Pool(queries, vectors, k, id_rank, reach), longest)
        scan.through(starts, first)
        return scan.pool.best()

    with ExitStack() as stack:
        passes = [_first(vectors, queries, k, device) for device in devices]
        if len(passes) == 1 and isinstance(passes[0], SinglePass) and queries.size * len(vectors) >= WORTH:
            threads = stack.enter_context(one_each())
            passes += [SinglePass(queries) for _ in range(threads - 1)]
        starts = iter(range(0, len(vectors), passes[0].docs))  # each takes the next block, however fast it is
        if len(passes) == 1:
            return part(passes[0])
        with ThreadPoolExecutor(len(passes)) as pool:
            return merged(list(pool.map(part, passes)), id_rank)


class _Scan:
    """One way through documents."""

    def __init__(self, vectors: Vectors, pool: Pool, longest: Callable[[slice], float]) -> None:
        self._vectors, self._longest, self.pool = vectors, longest, pool
        self._lengths = lengths(pool.queries)
        self._found = self._seen = 0

    def through(self, starts: Iterator[int], first: FirstPass) -> None:
        """Look at the blocks that begin there, with another pass once this one leaves too much to be scored."""
        for start in starts:
            self.take(slice(start, min(start + first.docs, len(self._vectors))), first)
            if isinstance(first, HalfPass) and self.crowded:
                first = SinglePass(self.pool.queries)

    def take(self, rows: slice, first: FirstPass) -> None:
        """Look at these documents."""
        documents, number = self._vectors[rows], len(self._lengths)
        longest = self._longest(rows)
        check(self._lengths, longest)
        product = first.product(documents)
        off, shift = first.off(longest), first.shift
        if self.pool.k <= len(documents) and self.pool.reach.min() == -np.inf:
            kth = first.kth(product, self.pool.k)
            self.pool.raise_to(_down(kth + shift - off - _half_step(kth, first.rounding)))
        # Rounding keeps the order: what is summed to the floor at least is also rounded to the rounded floor at least.
        places, values = first.reaching(product, (self.pool.reach - off - shift).astype(np.float32))
        query, row = (places % number).astype(np.int32), (rows.start + places // number).astype(np.int32)
        middle, off = values + shift[query], off[query] + _half_step(values, first.rounding)
        self.pool.add(Pairs(query, row, _down(middle - off), -_down(-middle - off)))
        self._found += len(places)
        self._seen += number * len(documents)

    @property
    def crowded(self) -> bool:
        """Whether so many documents lie near the best that scoring them costs more than the fast pass saves."""
        return self._found > 16 * len(self._lengths) * self.pool.k + self._seen // 256


def _first(vectors: Vectors, queries: Float32[np.ndarray, "queries dim"], k: int, device: str) -> FirstPass:
    """The pass that is fastest here; all lead to the same result."""
    if device.startswith("cuda"):
        return DevicePass(queries, device)
    single = SinglePass(queries)
    if queries.size * len(vectors) < WORTH or len(vectors) < SPARSE * k or not half_is_possible():
        return single
    sample = vectors[: single.docs]
    half = HalfPass(queries, sample.mean(axis=0, dtype=np.float64).astype(np.float32))
    return min((single, half), key=lambda first: min(_seconds(first, sample) for _ in range(2)))


def _half_step(values: Float32[np.ndarray, "*shape"], rounding: float) -> Float32[np.ndarray, "*shape"]:
    """How far rounded numbers may lie from what they were; a number's power of two has the relative error."""
    powers = (values.view(np.uint32) & np.uint32(0x7F800000)).view(np.float32)
    return powers * np.float32(rounding)


def _down(values: Float64[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """The same numbers in float32, and certainly no larger."""
    return np.nextafter(values.astype(np.float32), np.float32(-np.inf))


def _seconds(first: FirstPass, sample: Vectors) -> float:
    start = time.perf_counter()
    first.product(sample)
    return time.perf_counter() - start

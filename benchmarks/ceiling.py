"""How much memory it takes to index and search a corpus that is larger than what it may take.

    python -m benchmarks.ceiling [PASSAGES]

Makes so many vectors of 384 numbers, block by block as an encoder would, indexes them and searches 1,000 queries.
Prints the peak of the process's own memory, which nobody can take back from it, and its peak with mapped pages, which
the system takes back when it needs them. Exit status 1 if its own memory went beyond the ceiling.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.corpus import Corpus
from benchmarks.memory import peak
from harness.index.dense import DenseIndex

CEILING = 200e6
"""Bytes beyond what the process had before."""
DIM, QUERIES, BLOCK = 384, 1000, 8192


def main(passages: int) -> int:
    chance = np.random.default_rng(0)
    blocks = (_unit(chance, min(BLOCK, passages - start)) for start in range(0, passages, BLOCK))
    with tempfile.TemporaryDirectory(prefix="ceiling-") as folder, peak() as most:
        begun = time.perf_counter()
        index = DenseIndex.build(Path(folder), Corpus(passages), blocks)
        made = time.perf_counter()
        index.search(_unit(chance, QUERIES), 100)
        found = time.perf_counter()
    mapped = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{passages} passages × {DIM}: {passages * DIM * 4 / 1e6:.0f} MB of vectors")
    print(f"made and indexed in {made - begun:.1f} s, {QUERIES} queries searched in {found - made:.1f} s")
    print(f"own memory at most {most[0] / 1e6:.0f} MB (ceiling {CEILING / 1e6:.0f} MB), peak RSS {mapped / 1e6:.0f} MB")
    return int(most[0] > CEILING)


def _unit(chance: np.random.Generator, number: int) -> np.ndarray:
    vectors = chance.standard_normal((number, DIM), np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))

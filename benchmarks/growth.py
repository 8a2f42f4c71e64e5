"""How seconds and memory grow with the corpus, the queries, the methods and the stored evaluations.

    python -m benchmarks.growth [CURVE…]

Each point is measured once, in a process of its own, without what is made ready for it. Memory is what the work
takes beyond that: pages of mapped files, which the system takes back when it needs them, are not counted.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks import passages, real, report
from benchmarks.corpus import Corpus
from benchmarks.engine import static_model
from benchmarks.lab import Lab
from benchmarks.memory import peak

Work = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Something that is done at several sizes."""

    title: str
    """What is done."""
    of: str
    """What grows."""
    sizes: tuple[int, ...]
    """How many of it."""
    ready: Callable[[int, Path], Work]
    """(size, an empty folder) → the work, with all that it needs made."""
    why: str = ""
    """Why the line is not straight, where it isn't."""


def dense(size: int, folder: Path) -> Work:
    """1,000 queries against vectors in a mapped file."""
    from harness.index.dense import DenseIndex

    chance = np.random.default_rng(0)
    corpus = Corpus(size)
    blocks = (_unit(chance, min(8192, size - start)) for start in range(0, size, 8192))
    index = DenseIndex.build(folder, corpus, blocks)
    queries = _unit(chance, 1000)
    return lambda: index.search(queries, 100)


def _unit(chance: np.random.Generator, number: int) -> np.ndarray:
    vectors = chance.normal(size=(number, 384)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def lexical(size: int, folder: Path) -> Work:
    """Index passages and search them with the queries of scifact, by BM25."""
    from harness.config import use
    from harness.contracts import Context
    from harness.plugins import registry

    task = _passages(size, folder)
    corpus, queries = task.corpus(), task.queries("test")
    card, _ = registry().find("bm25", "retriever")
    config = use(registry(), ("retriever",), "bm25", {}).config
    retriever = card.load()(config, Context(folder=folder, build=lambda _: None))

    def work() -> None:
        retriever.index(corpus)
        retriever.search(queries, 100)

    return work


def _passages(size: int, folder: Path):
    from harness.data.beir import BeirSource
    from harness.data.task import SourceTask

    made = passages.write(real.folder("scifact"), folder / "passages", size)
    return SourceTask(BeirSource(made, "passages"), folder / "kept")


def whole(size: int, folder: Path) -> Work:
    """A whole evaluation of a static embedding model, from reading the collection to the stored record."""
    source = real.folder("scifact")
    here = Lab(folder)  # sees its own collections alone
    passages.write(source, folder / "data" / "passages", size)
    model = static_model(folder / "static")
    return lambda: here.evaluate("dense", {"model": model}, "passages")


def scoring(size: int, folder: Path) -> Work:
    """Five measures of rankings of 1,000 documents."""
    from benchmarks.scoring import Rankings, ours

    given = Rankings.made_up(size)
    return lambda: ours(given)


def significance(size: int, folder: Path) -> Work:
    """Every two methods over 1,000 queries."""
    from harness.statistics.pairs import adjusted, differences

    values = np.random.default_rng(0).random((size, 1000))
    return lambda: adjusted(differences(values))


def board(size: int, folder: Path) -> Work:
    """The site of a store: methods on 5 tasks of 100 queries."""
    from harness_leaderboard import pages, site

    from benchmarks.scale_store import fill
    from harness.store import open_store

    fill(folder / "harness.db", size // 5, 5, 100)
    store = open_store(str(folder / "harness.db"))

    def work() -> None:
        site.write(pages.build(store.listed(), date(2026, 3, 2), "A board"), folder / "site")

    return work


def listing(size: int, folder: Path) -> Work:
    """What a worker asks before each evaluation: which of a plan of 100 are done."""
    from benchmarks.scale_store import fill
    from harness.store import open_store

    fill(folder / "harness.db", max(1, size // 50), 50, 10)
    store = open_store(str(folder / "harness.db"))
    ids = [evaluation.id for evaluation in store.evaluations(per_query=False)[:100]]
    return lambda: [store.states(ids) for _ in range(100)]


CORPUS = (1_000, 10_000, 100_000, 1_000_000)
CURVES = {
    "dense": Curve(
        title="exact dense search, 1,000 queries × 384",
        of="documents",
        sizes=CORPUS,
        ready=dense,
        why="the best found so far rise slowly at first, and all that might be better is scored again in float64: that "
        "is a larger share of a small corpus; beyond it, seconds are those of the products. Memory has an upper limit.",
    ),
    "bm25": Curve(
        title="BM25: index and 300 queries",
        of="passages",
        sizes=CORPUS,
        ready=lexical,
        why="words are numbered when they are first seen, and new ones become rare. Memory holds the counts of all "
        "passages, whose weights need the mean length and so the last passage; the index itself is a mapped file.",
    ),
    "whole": Curve(
        title="whole evaluation, static embeddings",
        of="passages",
        sizes=CORPUS,
        ready=whole,
        why="imports, the queries' latencies and what is stored of their run are the same at every size; beyond them, "
        "seconds are those of reading and encoding. Half of what memory grows by are the ids as Python strings, and a "
        "dictionary of their rows.",
    ),
    "scoring": Curve(
        title="five measures, 1,000 documents a query",
        of="queries",
        sizes=(100, 1_000, 10_000),
        ready=scoring,
        why="from 1,000 queries on it is straight; with fewer, it is the calls themselves.",
    ),
    "significance": Curve(
        title="t-tests of all pairs, 1,000 queries",
        of="methods",
        sizes=(10, 100, 1_000),
        ready=significance,
        why="pairs grow with the square of the methods, but the import of scipy, which comes first, takes longer than "
        "the tests of 100 methods.",
    ),
    "board": Curve(
        title="site of methods on 5 tasks",
        of="evaluations",
        sizes=(50, 500, 5_000),
        ready=board,
        why="imports, and the same scripts and pages in every site; beyond them, pages of methods, one for every five "
        "evaluations.",
    ),
    "listing": Curve(
        title="100 × which of 100 are done",
        of="stored evaluations",
        sizes=(500, 5_000, 50_000),
        ready=listing,
        why="as it should be: found by an index of the database, whatever else is stored.",
    ),
}


def main(names: list[str]) -> None:
    """Measure these curves, or all, and write the page anew."""
    found = json.loads(report.GROWTH.read_text()) if report.GROWTH.exists() else {}
    for name in names or CURVES:
        curve = CURVES[name]
        points = [_measured(name, size) for size in curve.sizes]
        found[name] = {"title": curve.title, "of": curve.of, "why": curve.why, "points": points}
        report.GROWTH.write_text(json.dumps(found, indent=1) + "\n")
        for point in points:
            size, taken, memory = point["size"], point["seconds"], point["megabytes"]
            print(f"{curve.title}: {size:,} {curve.of}, {taken:.3f} s, {memory:.0f} MB", flush=True)
    report.write()


def _measured(name: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.growth", "--point", name, str(size)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def point(name: str, size: int) -> None:
    """Measure one point in this process, and print it."""
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        work = CURVES[name].ready(size, Path(folder))
        with peak() as most:
            start = time.perf_counter()
            work()
            taken = time.perf_counter() - start
    print(json.dumps({"size": size, "seconds": taken, "megabytes": most[0] / 1e6}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--point"]:
        point(sys.argv[2], int(sys.argv[3]))
    else:
        main(sys.argv[1:])

"""Two things done in turn, and how many times longer one takes: all that a shared machine can tell.

A benchmark is a module of this package with a function `rows(runs)`; `python -m benchmarks.<name>` runs one of them and
prints what it found, `python -m benchmarks` runs them all and keeps it.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

RUNS = 5

FAST = {"encoding": 2.9, "evaluation": 2, "training": 1.7}
"""Benchmarks with a goal in the fast mode, which wants a processor with bfloat16: the least ratio."""


class Skipped(Exception):
    """A benchmark needs what is not here; says what."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One piece of work, done by the harness and by a peer."""

    work: str
    """What was done."""
    peer_name: str
    """Who else did it."""
    runs: tuple[tuple[float, float], ...]
    """Seconds of ours and of the peer, pair by pair, each pair in turn; neither's first, which warms up, is here."""
    goal: float | None = None
    """What is to be reached; None where the row is there for comparison only."""
    goal_of: Literal["ratio", "seconds"] = "ratio"
    """ratio: how many times longer the peer takes, at least; seconds: how long ours may take, at most."""
    mode: str = "fp32"
    """Numbers that ours computed with."""
    found: Mapping[str, float | str] = field(default_factory=dict[str, float | str])
    """What else was seen, such as how far the two's results lie apart."""
    note: str = ""
    """What a reader has to know."""

    @property
    def ours(self) -> float:
        """Median seconds of ours."""
        return median(ours for ours, _ in self.runs)

    @property
    def peer(self) -> float:
        """Median seconds of the peer."""
        return median(peer for _, peer in self.runs)

    @property
    def ratio(self) -> float:
        """Median over pairs of how many times longer the peer takes."""
        return median(peer / ours for ours, peer in self.runs)

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached."""
        if self.goal is None:
            return None
        return self.ratio >= self.goal if self.goal_of == "ratio" else self.ours <= self.goal

    def as_json(self) -> dict[str, Any]:
        """All of it, with what follows from it."""
        return asdict(self) | {"ours": self.ours, "peer": self.peer, "ratio": self.ratio, "met": self.met}


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(
    ours: Callable[[], object],
    peer: Callable[[], object],
    runs: int = RUNS,
    warm: bool = True,
    forget: Callable[[], object] = lambda: None,
) -> tuple[tuple[float, float], ...]:
    """Seconds of both, `runs` times in turn, each first every other time, after one of each that doesn't count.

    Args:
        ours: does the work as the harness does it.
        peer: does it as the peer does.
        runs: how many pairs.
        warm: False where both start from nothing every time.
        forget: done before each of ours, and not counted.
    """

    def timed() -> float:
        forget()
        return seconds(ours)

    if warm:
        timed(), peer()
    pairs: list[tuple[float, float]] = []
    for number in range(runs):
        if number % 2:
            theirs = seconds(peer)
            pairs.append((timed(), theirs))
        else:
            pairs.append((timed(), seconds(peer)))
    return tuple(pairs)


def threads() -> int:
    """Threads that both may use: `OMP_NUM_THREADS`, or one a core."""
    return int(os.environ.get("OMP_NUM_THREADS") or 0) or len(os.sched_getaffinity(0))


def main(rows: Callable[[int], Iterator[Row]]) -> None:
    """Run a benchmark, say what it found, and write it to a file if one is named."""
    words = argparse.ArgumentParser()
    words.add_argument("--runs", type=int, default=RUNS, help="pairs of a row")
    words.add_argument("--to", type=Path, help="JSON file for the rows")
    asked = words.parse_args()
    done: list[Row] = []
    skipped = ""
    try:
        for row in rows(asked.runs):
            done.append(row)
            print(line(row), flush=True)
    except Skipped as reason:
        skipped = str(reason)
        print(f"skipped: {skipped}")
    if asked.to:
        asked.to.write_text(json.dumps({"rows": [row.as_json() for row in done], "skipped": skipped}))


def line(row: Row) -> str:
    """A row in one line."""
    goal = "" if row.goal is None else f", goal {row.goal:g} {'×' if row.goal_of == 'ratio' else 's'}"
    met = {None: "", True: ", met", False: ", NOT MET"}[row.met]
    found = "".join(f", {name} {_short(value)}" for name, value in row.found.items())
    times = f"ours {row.ours:.3f} s, {row.peer_name} {row.peer:.3f} s"
    return f"{row.work} [{row.mode}]: {times}, {row.ratio:.2f}×{goal}{met}{found}"


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"

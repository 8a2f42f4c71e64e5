"""The leaderboard of a large store: seconds and memory of a first build and of one after a new evaluation.

    python -m benchmarks.leaderboard_scale [METHODS] [TASKS] [QUERIES]

Every number that is printed is of a process of its own, without the making of the store. Seconds of a phase are its
own: what it calls of another phase counts there, and threads that work beside each other count both. The overview on
the wire is the page with every script and data file that it loads, each packed by gzip as a web server would.
"""

import gzip
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

from harness_leaderboard import board, data, model, pages, ranking, site

from benchmarks.scale_store import extra, fill
from harness.store import open_store

SECONDS, MEGABYTES, WIRE_KB = 60, 2000, 400
"""Budgets."""


class Clock:
    """Wall and processor seconds by phase; the phase that was entered last is the one that runs."""

    def __init__(self) -> None:
        self.seconds: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
        self._of = threading.local()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Inside, this thread's time is this phase's."""
        running, since = vars(self._of).setdefault("running", []), vars(self._of).setdefault("since", [_now()])
        self._turn(running, since)
        running.append(name)
        try:
            yield
        finally:
            self._turn(running, since)
            running.pop()

    def _turn(self, running: list[str], since: list[tuple[float, float]]) -> None:
        now = _now()
        if running:
            spent = zip(self.seconds[running[-1]], now, since[0], strict=True)
            self.seconds[running[-1]] = tuple(before + end - start for before, end, start in spent)
        since[0] = now

    def function(self, where: ModuleType, name: str, phase: str) -> None:
        """Count what a module's function takes."""
        inner: Callable[..., Any] = getattr(where, name)

        def timed(*words: Any, **named: Any) -> Any:
            with self.phase(phase):
                return inner(*words, **named)

        setattr(where, name, timed)

    def part(self, inner: Callable[..., Iterator[Any]], phase: str) -> Callable[..., Iterator[Any]]:
        """Count what a part of the site takes, a file at a time."""

        def timed(*words: Any) -> Iterator[Any]:
            files = inner(*words)
            while True:
                with self.phase(phase):
                    file = next(files, None)
                if file is None:
                    return
                yield file

        return timed


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.thread_time()


def build(store: str, folder: str) -> None:
    """Build and print, in this process."""
    clock = Clock()
    clock.function(model, "arrays", "read")
    clock.function(data, "texts", "read")
    clock.function(ranking, "differences", "significance")
    clock.function(board, "rank", "significance")
    clock.function(board, "field", "assemble")
    clock.function(ranking.Means, "add", "significance")
    clock.function(ranking.Means, "groups", "significance")
    clock.function(pages, "assemble", "assemble")
    pages.PARTS = tuple(clock.part(part, f"render {_name(part)}") for part in pages.PARTS)
    start, before = time.perf_counter(), time.process_time()
    with clock.phase("read"):
        evaluations = open_store(store).listed()
    with clock.phase("write"):
        written = site.write(pages.build(evaluations, date(2026, 3, 2), "A large board"), Path(folder))
    wall, processor = time.perf_counter() - start, time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"  {len(evaluations):,} evaluations, {written.files:,} files, {written.kept:,} of them kept")
    print(f"  {wall:.1f} s, peak {peak:,.0f} MB (budgets {SECONDS} s, {MEGABYTES:,} MB); processor {processor:.1f} s")
    for name, (wall, processor) in sorted(clock.seconds.items(), key=lambda pair: -pair[1][1]):
        print(f"    {name:32} {wall:6.1f} s, processor {processor:5.1f} s")


def _name(part: Callable[..., Any]) -> str:
    """Module and function."""
    return f"{part.__module__.rsplit('.', 1)[-1]}.{part.__name__.strip('_')}"


def overview(folder: Path) -> None:
    """Print what a browser loads for the overview."""
    page = (folder / "index.html").read_text()
    scripts = [folder / name for name in re.findall(r'<script src="([^"]+)"', page)]
    tables = [folder / f"data/{name}.js" for name in re.findall(r'data-table="([^"]+)"', page)]
    sizes = {file.relative_to(folder).as_posix(): _packed(file) for file in (folder / "index.html", *scripts, *tables)}
    print(f"overview on the wire, gzip: {sum(sizes.values()):.0f} KB (budget {WIRE_KB} KB)")
    for name, size in sizes.items():
        print(f"  {name:24} {size:6.1f} KB")


def usable(folder: Path, times: int = 5) -> None:
    """Print how long a browser takes until the overview's table answers, if there is a browser."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        print("overview in a browser: not measured, no Chromium or no playwright")
        return
    ready: list[float] = []
    done: list[float] = []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for _ in range(times):
            page = browser.new_page()
            start = time.perf_counter()
            page.goto((folder / "index.html").as_uri())
            page.wait_for_selector(".board[data-ready]")
            ready.append(time.perf_counter() - start)
            page.locator(".board thead th").nth(2).click()
            page.wait_for_selector(".board th[aria-sort]")
            done.append(time.perf_counter() - start)
            page.close()
        browser.close()
    print(f"overview in Chromium: usable after {median(ready):.2f} s, sorted by a click after {median(done):.2f} s")


def _packed(file: Path) -> float:
    return len(gzip.compress(file.read_bytes(), 6)) / 1000


def _run(store: Path, folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "benchmarks.leaderboard_scale", "--build", str(store), str(folder)], check=True
    )


def main(methods: int = 1000, tasks: int = 50, queries: int = 1000) -> None:
    with tempfile.TemporaryDirectory() as name:
        store, folder = Path(name) / "harness.db", Path(name) / "site"
        fill(store, methods, tasks, queries)
        print(f"{methods} methods × {tasks} tasks × {queries} queries, store {store.stat().st_size / 1e6:,.0f} MB")
        print("first build:", flush=True)
        _run(store, folder)
        overview(folder)
        usable(folder)
        extra(store, queries)
        print("after one more evaluation:", flush=True)
        _run(store, folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--build"]:
        build(*sys.argv[2:])
    else:
        main(*map(int, sys.argv[1:]))

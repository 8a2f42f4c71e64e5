"""How much memory of its own this process takes: pages of mapped files, which the system takes back, don't count."""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STATUS = Path("/proc/self/status")
EVERY = 0.005
"""Seconds between two looks."""


@contextmanager
def peak() -> Iterator[list[int]]:
    """A list whose one entry becomes the most bytes that the process takes inside beyond what it has now."""
    ctypes.CDLL(None).malloc_trim(0)  # what was given up earlier and lies ready would not count again
    before, over = own_bytes(), threading.Event()
    most = [0]

    def watch() -> None:
        while not over.wait(EVERY):
            most[0] = max(most[0], own_bytes() - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def own_bytes() -> int:
    """What the process has now (Linux)."""
    (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith("RssAnon:")]
    return int(line.split()[1]) * 1024

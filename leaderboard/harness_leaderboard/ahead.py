"""Work on several things at a time, in threads: for what spends its time in numpy and the database, not in Python."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from threadpoolctl import threadpool_limits

from harness import ahead as threaded

Item = TypeVar("Item")
Found = TypeVar("Found")


def ahead(work: Callable[[Item], Found], items: Iterable[Item], threads: int = 2) -> Iterator[Found]:
    """What `work` makes of each item, in their order; no more is held than the threads need to go on.

    Matrix products get one thread each meanwhile: more would wait for each other.
    """
    with threadpool_limits(1):
        yield from threaded.ahead(work, items, threads, waiting=threads)

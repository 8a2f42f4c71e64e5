"""Work on several things at a time, in threads: for what spends its time in numpy and the database, not in Python."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Found = TypeVar("Found")


def ahead(work: Callable[[Item], Found], items: Iterable[Item], threads: int = 2) -> Iterator[Found]:
    """What `work` makes of each item, in their order; no more is held than the threads need to go on.

    Matrix products get one thread each meanwhile: more would wait for each other.
    """
    waiting: deque[Future[Found]] = deque()
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

"""Work that is done in threads while the caller is busy with what was done before."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def ahead(work: Callable[[Given], Made], given: Iterable[Given], threads: int, waiting: int = 2) -> Iterator[Made]:
    """What `work` makes of each, in order.

    Args:
        work: for what spends its time outside of Python, which threads do beside each other.
        given: what it is done to.
        threads: how many work.
        waiting: how many may be done, or begun, before they are asked for.
    """
    with ThreadPoolExecutor(threads, "ahead") as pool:
        coming: deque[Future[Made]] = deque()
        for each in given:
            coming.append(pool.submit(copy_context().run, work, each))
            if len(coming) > waiting:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()

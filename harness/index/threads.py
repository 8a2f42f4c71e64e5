"""Products by numpy, each by one thread, so that several are computed at the same time."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController

ONE_AT_A_TIME = Lock()


@contextmanager
def one_each() -> Generator[int]:
    """Inside, a product takes one thread; as many as it takes otherwise can then be computed at the same time.

    What stands between products, in numpy one thread's work, is so shared among them too. `OMP_NUM_THREADS` counts. The
    limit is the whole process's, so that another thread that comes here waits until it is lifted.
    """
    libraries = _libraries()
    with ONE_AT_A_TIME:
        number = min((library["num_threads"] for library in libraries.info()), default=1)
        with libraries.limit(limits=1):
            yield number


@cache
def _libraries() -> ThreadpoolController:
    """Those that multiply matrices for numpy."""
    return ThreadpoolController().select(user_api="blas")

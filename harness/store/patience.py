"""Waiting for a database that is gone for a while: it is started anew, its network is down, others hold its lock.

A worker waits, since what it has found took hours perhaps; every other command fails at once, in one line.
"""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from harness.errors import StoreUnreachable

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 300.0
"""How long a worker waits."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 20.0
"""Seconds before the second try, and before any later one; each waits twice as long as the one before."""

Answer = TypeVar("Answer")
Given = ParamSpec("Given")


class _Patient(Protocol):
    patience: float


Self = TypeVar("Self", bound=_Patient)


def patiently(ask: Callable[[], Answer], seconds: float) -> Answer:
    """What `ask` gives; while the database is out of reach it is asked again, for so long.

    Raises:
        StoreUnreachable: it is out of reach still.
    """
    end, pause = time.monotonic() + seconds, FIRST_WAIT
    while True:
        try:
            return ask()
        except StoreUnreachable as error:
            left = end - time.monotonic()
            if left <= 0:
                raise
            logger.warning("%s; trying again for %.0f s", error, left)
            time.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_WAIT)


def waits(
    method: Callable[Concatenate[Self, Given], Answer],
) -> Callable[Concatenate[Self, Given], Answer]:
    """A method of one transaction that may be done again; it is asked as long as its object has patience."""

    @wraps(method)
    def ask(self: Self, *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        return patiently(lambda: method(self, *args, **kwargs), self.patience)

    return ask

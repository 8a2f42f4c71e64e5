"""What an executor is: it settles a plan somewhere. The database is the record and the queue."""

from collections.abc import Callable, Sequence
from typing import Protocol

from harness.runner.job import Event
from harness.runner.plan import Work

Tell = Callable[[Event], None]


class Executor(Protocol):
    """Runs plans; killed at any point, it or another goes on with what is not stored yet."""

    def run(self, works: Sequence[Work]) -> dict[str, str]:
        """Settle the plan: evaluation id → how it ended.

        That is `done`, `already`, `failed`, `elsewhere`, or `submitted` by an executor that doesn't wait.
        """
        ...

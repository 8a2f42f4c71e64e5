"""What an executor is: it settles a plan somewhere. The database is the record and the queue."""

from collections.abc import Callable, Sequence
from typing import Protocol

from harness.runner.plan import Work
from harness.runner.worker import Event

Tell = Callable[[Event], None]


class Executor(Protocol):
    """Runs plans; killed at any point, it or another goes on with what is not stored yet."""

    def run(self, works: Sequence[Work]) -> dict[str, str]:
        """Settle the plan: evaluation id → how it ended: `done`, `already`, `failed`, `elsewhere`."""
        ...

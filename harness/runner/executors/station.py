"""One machine's part in a plan that several work on: it offers its devices until all is settled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from harness import devices
from harness.runner.executors.local import LocalExecutor
from harness.runner.job import Event
from harness.runner.plan import Work
from harness.store import open_store


@dataclass(frozen=True, kw_only=True)
class Station:
    """What is sent to a machine; everything in it can be pickled."""

    works: Sequence[Work]
    """The plan."""
    store: str | None
    """URL of the store."""
    devices: tuple[str, ...]
    """Torch names of its devices; one that isn't registered yet registers itself."""
    before: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    """See `harness.runner.job.Job`."""
    time_limit: float | None = None
    """See `harness.runner.executors.local.LocalExecutor`."""

    def __call__(self) -> dict[str, str]:
        """Work until the plan is settled, here or elsewhere: evaluation id → how it ended.

        Raises:
            HarnessError: it can't begin: no store, no such device.
        """
        store = open_store(self.store)
        names = [devices.enlist(store, device).name for device in self.devices]
        local = LocalExecutor(self.store, names, _say_nothing, before=self.before, time_limit=self.time_limit)
        return local.run(self.works)


def _say_nothing(_: Event) -> None:
    """Who started the station reads the store."""

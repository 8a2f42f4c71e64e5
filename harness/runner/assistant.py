"""What a worker does while others are at all that is left of a plan: it encodes documents for them.

It builds the retriever that another process is indexing with, and makes blocks of its index in the folder where that
process makes them too (`harness.nn.resuming`); that process has the evaluation, and stores it.
"""

import logging
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness import devices
from harness.build import Builder
from harness.contracts import Task
from harness.nn.seeding import seed_everything
from harness.runner.indexes import Indexes
from harness.runner.plan import Work
from harness.store import Store
from harness.store.leases import evaluation_resource
from harness.store.records import DeviceRecord
from harness.store.work import own_work_folder

logger = logging.getLogger(__name__)


@dataclass
class Assistant:
    """Helps with each evaluation of others once at most."""

    store: Store
    """Where it is seen who does what."""
    holder: str
    """How this process names itself in a lease."""
    builder: Callable[[Work, DeviceRecord, Path], Builder]
    """Builds a work's plugins in a folder."""
    task: Callable[[str], Task]
    """Opens a task."""
    _indexes: dict[str, Indexes] = field(default_factory=dict[str, Indexes])
    _helped: set[str] = field(default_factory=set[str])

    def assist(self, works: Iterable[Work], device: DeviceRecord) -> bool:
        """Encode for one of these works, if another process is indexing for it; whether there was anything to do."""
        for work in works:
            if self._is_wanted(work, device):
                self._helped.add(work.id)
                with devices.hold(self.store, device, self.holder, wait=0) as mine:
                    return mine and self._encode(work, device)
        return False

    def _is_wanted(self, work: Work, device: DeviceRecord) -> bool:
        if work.id in self._helped or work.method.use.kind != "retriever":
            return False
        if work.id not in self._indexes:
            self._indexes[work.id] = Indexes.of(work, device)
        resource = evaluation_resource(work.id)
        return self._indexes[work.id].is_under_way() and resource in self.store.held([resource])

    def _encode(self, work: Work, device: DeviceRecord) -> bool:
        """Whether a block was made. Nothing that goes wrong here is an evaluation's fault."""
        folder = own_work_folder() / f"assist-{work.id}"
        try:
            seed_everything(work.seed)
            retriever = self.builder(work, device, folder).build(work.method.use, self._indexes[work.id].unfinished)
            assist = getattr(retriever, "assist", None)
            return bool(assist and assist(self.task(work.task).corpus()))
        except Exception:  # a plugin may raise anything
            logger.warning("could not help to index for evaluation %s", work.id, exc_info=True)
            return False
        finally:
            shutil.rmtree(folder, ignore_errors=True)

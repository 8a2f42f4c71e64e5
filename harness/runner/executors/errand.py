"""What a job of a queue does: a station that begins when the jobs before it are over, and goes on when queued again."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness import devices
from harness.devices.leases import NODE
from harness.runner.executors.burying import bury
from harness.runner.executors.station import Station
from harness.runner.job import failures
from harness.runner.plan import Work
from harness.store import Store, open_store
from harness.store.leases import evaluation_resource

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Errand:
    """A job's part of a plan; everything in it can be pickled."""

    station: Station
    """Its evaluations and its devices."""

    def __call__(self) -> Mapping[str, str]:
        """See `Station`."""
        os.environ.setdefault(NODE, os.environ.get("SLURM_JOB_ID", ""))  # the cores of a node are those of several jobs
        self._give_up(open_store(self.station.store))
        return self.station()

    def checkpoint(self) -> Any:
        """What submitit queues when Slurm takes the job's time or place away: the same, for what is not stored yet."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _give_up(self, store: Store) -> None:
        """Record what nobody can do any more as failed: its stage's job is over, and the stage is not done."""
        own = {work.id for work in self.station.works}
        for work in self.station.works:
            if missing := [stage for stage in self._undone(store, work) if stage not in own]:
                device = devices.enlist(store, self.station.devices[0])
                bury(
                    store, work, device, f"first stage {missing[0]} was not done; its job ended before: run both again"
                )

    def _undone(self, store: Store, work: Work) -> list[str]:
        """Stages that are neither done nor have failed since the plan began, once nobody is at them."""
        while store.held([evaluation_resource(stage) for stage in work.stages]):
            time.sleep(POLL_SECONDS)  # a killed job's lease has to run out first
        states, failed = store.states(work.stages), failures(store, [work])
        before = self.station.before
        return [name for name in work.stages if states.get(name) != "done" and failed.get(name) == before.get(name)]

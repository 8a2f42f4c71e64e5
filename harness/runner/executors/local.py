"""The executor of one machine: a worker process a device, watched, until every evaluation of the plan is settled."""

import multiprocessing
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from harness import devices
from harness.errors import HarnessError
from harness.runner.artefacts import remove_leftovers
from harness.runner.executors.base import Tell
from harness.runner.executors.burying import bury
from harness.runner.job import Event, Job, failures
from harness.runner.plan import Work
from harness.runner.worker import main
from harness.store import Store, open_store
from harness.store.patience import PATIENCE_SECONDS

END_SECONDS = 10.0
"""How long a worker that is told to end gets to do so."""
TRIES = 3
"""Workers on a device that may die one after the other without having begun anything."""


@dataclass
class _Running:
    """A worker process and what is known of it."""

    device: str
    process: SpawnProcess
    connection: Connection
    doing: str = ""
    """The evaluation that it has begun."""
    begun: float = 0.0
    """When it did, by a clock that nobody sets."""
    late: bool = False
    """Whether it was ended for taking too long."""
    tries: int = 1
    """Workers on this device, this one included, since one of them has begun something."""


@dataclass
class LocalExecutor:
    """Runs a plan on devices of this machine."""

    store_url: str | None
    """The store."""
    devices: Sequence[str]
    """Names of registered devices: one worker each."""
    tell: Tell
    """Called with every event, in this process."""
    before: Mapping[str, datetime] | None = None
    """See `harness.runner.job.Job`; None: the plan begins now."""
    time_limit: float | None = None
    """Seconds that an evaluation may take; one that takes longer is ended and has failed."""
    settled: dict[str, str] = field(default_factory=dict[str, str])
    """Evaluation id → how it ended."""

    def run(self, works: Sequence[Work]) -> dict[str, str]:
        """Settle the plan; the state in which each evaluation ended: `done`, `already`, `failed`, `elsewhere`."""
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # two spinning thread pools slow each other down
        store = open_store(self.store_url, patience=PATIENCE_SECONDS)
        remove_leftovers(store)
        self.before = failures(store, works) if self.before is None else self.before
        running = [self._start(works, device) for device in self.devices[: len(works)]]
        try:
            while running:
                self._listen(running)
                running = [worker for worker in running if self._alive(store, works, worker)]
        finally:
            for worker in running:
                _stop(worker)
            remove_leftovers(store)
        return self.settled

    def _start(self, works: Sequence[Work], device: str) -> _Running:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        left = [work for work in works if work.id not in self.settled]
        job = Job(works=left, device=device, store=self.store_url, before=self.before or {})
        process = context.Process(target=main, args=(job, theirs), name=f"harness worker {device}")
        process.start()
        theirs.close()
        return _Running(device, process, ours)

    def _listen(self, running: list[_Running]) -> None:
        """Take what the workers say, once one of them has something to say, ends, or takes too long."""
        wait([worker.connection for worker in running], self._seconds_left(running))
        for worker in running:
            self._take(worker)
            if worker.doing and self.time_limit and time.monotonic() - worker.begun >= self.time_limit:
                worker.late = True
                _stop(worker)

    def _seconds_left(self, running: list[_Running]) -> float | None:
        """Until the first evaluation has taken too long; None if none can."""
        ends = [worker.begun + self.time_limit for worker in running if worker.doing and self.time_limit]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def _take(self, worker: _Running) -> None:
        """All that a worker has said by now."""
        while worker.connection.poll():
            try:
                self._hear(worker, worker.connection.recv())
            except (EOFError, OSError):  # the end, perhaps in the middle of a word
                worker.process.join(END_SECONDS)
                break

    def _hear(self, worker: _Running, event: Event) -> None:
        if event.kind == "broken":
            raise HarnessError(f"the worker on {worker.device} could not go on: {event.text}")
        worker.doing, worker.begun, worker.tries = "", time.monotonic(), 0
        if event.kind == "started":
            worker.doing = event.id
        else:
            if event.id in self.settled:  # another device's worker has done it and told us already
                return
            self.settled[event.id] = event.kind
        self.tell(event)

    def _alive(self, store: Store, works: Sequence[Work], worker: _Running) -> bool:
        """Whether it still works. One that died before all was settled is replaced, what it was doing is recorded."""
        if worker.process.is_alive():
            return True
        worker.process.join()
        self._take(worker)
        if not worker.process.exitcode and not worker.doing:
            return False
        (lost,) = [work for work in works if work.id == worker.doing] or [None]
        if lost is not None:
            self._bury(store, lost, worker)
        elif worker.tries >= TRIES:
            raise HarnessError(
                f"the worker on {worker.device} died at once (exit {worker.process.exitcode}); "
                "see whether `harness doctor` finds a fault, and run the command again"
            )
        replacement = self._start(works, worker.device)
        worker.process, worker.connection = replacement.process, replacement.connection
        worker.doing, worker.late, worker.tries = "", False, worker.tries + 1
        return True

    def _bury(self, store: Store, work: Work, worker: _Running) -> None:
        """Record the evaluation that a worker died over as failed, unless it was stored just before."""
        self._hear(worker, bury(store, work, devices.require(store, worker.device), self._cause(worker)))

    def _cause(self, worker: _Running) -> str:
        """Of what a worker died."""
        if worker.late:
            return f"took longer than the time limit of {self.time_limit:g} s (--time-limit)"
        code = worker.process.exitcode or 0
        how = f"killed by signal {-code} (out of memory?)" if code < 0 else f"left with exit status {code}"
        return f"the worker process was {how} during this evaluation"


def _stop(worker: _Running) -> None:
    """End a worker that is still there: politely, then at once."""
    worker.process.terminate()
    worker.process.join(END_SECONDS)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()

"""The local executor: one worker process a device, watched, until every evaluation of the plan is settled."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from harness import devices
from harness.plugins import registry
from harness.runner import record
from harness.runner.artefacts import remove_leftovers
from harness.runner.plan import Work
from harness.runner.worker import Event, Job, main
from harness.store import Store, open_store
from harness.tasks import open_task

Tell = Callable[[Event], None]
PATIENCE_SECONDS = 10.0


@dataclass
class _Running:
    """A worker process and what is known of it."""

    device: str
    process: SpawnProcess
    connection: Connection
    doing: str = ""


@dataclass
class LocalExecutor:
    """Runs a plan on devices of this machine."""

    store_url: str | None
    """The store."""
    devices: Sequence[str]
    """Names of registered devices: one worker each."""
    tell: Tell
    """Called with every event, in this process."""
    settled: dict[str, str] = field(default_factory=dict[str, str])
    """Evaluation id → how it ended."""

    def run(self, works: Sequence[Work]) -> dict[str, str]:
        """Settle the plan; the state in which each evaluation ended: `done`, `already`, `failed`, `elsewhere`."""
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # two spinning thread pools slow each other down
        store = open_store(self.store_url)
        remove_leftovers(store)
        running = [self._start(works, device) for device in self.devices[: len(works)]]
        try:
            while running:
                running = [worker for worker in self._listen(running) if self._alive(store, works, worker)]
        finally:
            for worker in running:
                _stop(worker)
            remove_leftovers(store)
        return self.settled

    def _start(self, works: Sequence[Work], device: str) -> _Running:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        left = [work for work in works if work.id not in self.settled]
        job = Job(works=left, device=device, store=self.store_url)
        process = context.Process(target=main, args=(job, theirs), name=f"harness worker {device}")
        process.start()
        theirs.close()
        return _Running(device, process, ours)

    def _listen(self, running: list[_Running]) -> list[_Running]:
        """Take what the workers say, until one of them has something to say or ends."""
        wait([worker.connection for worker in running])
        for worker in running:
            while worker.connection.poll():
                try:
                    self._hear(worker, worker.connection.recv())
                except EOFError:
                    worker.process.join(PATIENCE_SECONDS)
                    break
        return running

    def _hear(self, worker: _Running, event: Event) -> None:
        worker.doing = event.id if event.kind == "started" else ""
        if event.kind != "started":
            if event.id in self.settled:  # another device's worker has done it and told us already
                return
            self.settled[event.id] = event.kind
        self.tell(event)

    def _alive(self, store: Store, works: Sequence[Work], worker: _Running) -> bool:
        """Whether it still works. One that died in the middle is recorded, and another takes its place."""
        if worker.process.is_alive():
            return True
        worker.process.join()
        if not worker.process.exitcode:
            return False
        (lost,) = [work for work in works if work.id == worker.doing] or [None]
        if lost is None:
            raise ChildProcessError(f"the worker on {worker.device} died at once (exit {worker.process.exitcode})")
        self._bury(store, lost, worker)
        replacement = self._start(works, worker.device)
        worker.process, worker.connection, worker.doing = replacement.process, replacement.connection, ""
        return True

    def _bury(self, store: Store, work: Work, worker: _Running) -> None:
        """Record the evaluation that a worker died over as failed."""
        code = worker.process.exitcode or 0
        how = f"killed by signal {-code} (out of memory?)" if code < 0 else f"left with exit status {code}"
        setting = record.Setting(
            work=work,
            task=open_task(registry(), work.task),
            device=devices.require(store, worker.device),
            started=datetime.now(UTC),
        )
        error = f"the worker process was {how} during this evaluation"
        store.put(record.failed(registry(), setting, error))
        self._hear(worker, Event("failed", work.id, error))


def _stop(worker: _Running) -> None:
    """End a worker that is still there: politely, then at once."""
    worker.process.terminate()
    worker.process.join(PATIENCE_SECONDS)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()

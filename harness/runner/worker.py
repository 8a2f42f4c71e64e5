"""One process on one device: takes the next evaluation that nobody has, does it, stores it, until all are settled.

The database is the record and the queue: a worker may be killed at any point, and another goes on.
"""

import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness import devices
from harness.build import Builder
from harness.card import Use
from harness.config import as_json
from harness.contracts import Retriever, Task
from harness.errors import HarnessError, StoreError, disk_full
from harness.nn.seeding import seed_everything
from harness.plugins import registry
from harness.runner import artefacts, record
from harness.runner.assistant import Assistant
from harness.runner.clock import with_stages
from harness.runner.evaluate import added_measures, evaluate
from harness.runner.indexes import Indexes
from harness.runner.job import Event, Job, outcome
from harness.runner.plan import Work
from harness.runner.recorded import RecordedRun
from harness.store import Store, open_store
from harness.store.leases import evaluation_resource
from harness.store.owner import this_process
from harness.store.patience import PATIENCE_SECONDS
from harness.store.records import DeviceRecord, Evaluation
from harness.store.work import own_work_folder
from harness.tasks import open_task

LEASE_SECONDS = 60.0
POLL_SECONDS = 0.2


@dataclass
class Worker:
    """The state of one worker."""

    job: Job
    store: Store
    tell: Callable[[Event], None]
    tasks: dict[str, Task] = field(default_factory=dict[str, Task])

    def __post_init__(self) -> None:
        """Nothing has been done yet."""
        self.assistant = Assistant(self.store, self.holder, _builder, self._task)

    @property
    def holder(self) -> str:
        """How this process names itself in a lease: a store may be shown to anybody, and names no machine."""
        owner = this_process()
        return f"worker {owner.pid} on {owner.host[:8]}"

    def run(self) -> None:
        """Settle every work of the job: do it, or see that it is done or has failed elsewhere."""
        pending = {work.id: work for work in self.job.works}
        while pending:
            settled = [work_id for work_id, work in pending.items() if self._settle(work)]
            for work_id in settled:
                del pending[work_id]
            if not settled and not self._assist(pending.values()):
                time.sleep(POLL_SECONDS)

    def _assist(self, pending: Iterable[Work]) -> bool:
        """Help others with what they are at; whether there was anything to do."""
        return self.assistant.assist(pending, self._device)

    @cached_property
    def _device(self) -> DeviceRecord:
        """As it was at first: whoever waits asks several times a second."""
        return devices.require(self.store, self.job.device)

    def _settle(self, work: Work) -> bool:
        """Do the work if it is free and ready; whether there is nothing left to do about it."""
        if self._settled_before(work):
            return True
        if self._undone_stages(work) and not self._stage_failed(work):
            return False
        resource = evaluation_resource(work.id)
        with devices.lease(self.store, resource, self.holder, seconds=LEASE_SECONDS, wait=0) as mine:
            if not mine:
                return False
            if self._settled_before(work):
                return True
            return self._do_alone(work)

    def _do_alone(self, work: Work) -> bool:
        """Do the work unless another process trains its student right now; whether there is nothing left to do."""
        if not work.lesson:
            return self._do(work)
        with devices.lease(self.store, f"lesson:{work.lesson}", self.holder, seconds=LEASE_SECONDS, wait=0) as mine:
            return self._do(work) if mine else False

    def _settled_before(self, work: Work) -> bool:
        """Whether the work is done, or failed since the plan began, which isn't tried twice."""
        state = self.store.state(work.id)
        if state == "done":
            self.tell(Event("already", work.id))
        elif state == "failed" and (seen := self._failed_anew(work.id)):
            self.tell(Event("elsewhere", work.id, seen.error))
        else:
            return False
        return True

    def _undone_stages(self, work: Work) -> list[str]:
        """Those of the evaluations before it that are not done."""
        states = self.store.states(work.stages)
        return [stage for stage in work.stages if states.get(stage) != "done"]

    def _stage_failed(self, work: Work) -> bool:
        states = self.store.states(work.stages)
        return any(state == "failed" and self._failed_anew(stage) is not None for stage, state in states.items())

    def _failed_anew(self, evaluation_id: str) -> Evaluation | None:
        """The failure, unless it is the one that was there before the plan began; clocks of two machines may differ."""
        seen = self.store.evaluation(evaluation_id)
        return None if seen.finished == self.job.before.get(evaluation_id) else seen

    def _do(self, work: Work) -> bool:
        """Do one work under the device's lease, and store what came of it, success or failure.

        Returns:
            False if the database was out of reach for so long that others have taken the work over.
        """
        device = devices.require(self.store, self.job.device)
        with devices.hold(self.store, device, self.holder, seconds=LEASE_SECONDS):
            evaluation = self._attempt(work, device)
            if not self.store.put(evaluation, holder=self.holder):
                return False
        hooks = registry().manager.hook
        facts = _facts(evaluation)
        if evaluation.state == "done":
            hooks.harness_evaluation_finished(evaluation=facts)
        else:
            hooks.harness_evaluation_failed(evaluation=facts, error=evaluation.error)
        self.tell(Event(evaluation.state, work.id, outcome(evaluation)))
        return True

    def _attempt(self, work: Work, device: DeviceRecord) -> Evaluation:
        task = self._task(work.task)
        setting = record.Setting(work=work, task=task, device=device, started=datetime.now(UTC))
        folder = own_work_folder() / work.id
        self.tell(Event("started", work.id))
        try:
            return self._evaluate(setting, folder)
        except Exception as error:  # a plugin may raise anything; the error is stored, the others go on
            with suppress(OSError):  # no room for the log
                traceback.print_exc(file=sys.stderr)
            return record.failed(registry(), setting, record.error_text(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _evaluate(self, setting: record.Setting, folder: Path) -> Evaluation:
        work, plugins = setting.work, registry()
        facts = {"id": work.id, "method": work.method.use.name, "config": work.config}
        facts |= {"task": setting.task.facts.name, "split": work.split, "seed": work.seed}
        plugins.manager.hook.harness_evaluation_started(evaluation=facts)
        folder.mkdir(parents=True)
        seed_everything(work.seed)
        builder = _builder(work, setting.device, folder / "plugins")
        builder = replace(builder, recorded=lambda use: self._recorded(work, use, setting.task))
        if missing := self._undone_stages(work):
            raise StoreError(f"first stage {missing[0]} has failed; expected its run: see `harness results show`")
        trains_on = [self._task(name) for name in work.method.train_on]
        indexes = Indexes.of(work, setting.device)
        outcome = evaluate(work, setting.task, builder, indexes, added_measures(plugins), trains_on)
        left = artefacts.keep(self.store, work.id, outcome.run, setting.task, work.split, folder)
        stages = self.store.evaluations(ids=work.first_stages, per_query=False)
        costs = with_stages(outcome.cost, [stage.cost for stage in stages])
        return record.done(plugins, setting, replace(outcome, cost=costs), left)

    def _recorded(self, work: Work, use: Use, task: Task) -> Retriever | None:
        """The stored run of the first stage that this plugin is."""
        for stage in self.store.evaluations(ids=work.first_stages):
            if (stage.method.name, stage.config) == (use.name, as_json(use.config)):
                return RecordedRun(artefacts.stored_run(self.store, stage, task.corpus()))
        return None

    def _task(self, name: str) -> Task:
        if name not in self.tasks:
            self.tasks[name] = open_task(registry(), name)
        return self.tasks[name]


def _builder(work: Work, device: DeviceRecord, folder: Path) -> Builder:
    """Builds the plugins of a work, each in a folder below this one."""
    names = device.torch_names
    return Builder(
        registry=registry(),
        folder=folder,
        device=names[0],
        devices=names,
        seed=work.seed,
        mode=work.method.mode,
        trust_remote_code=work.trust_remote_code,
    )


def _facts(evaluation: Evaluation) -> Mapping[str, Any]:
    """What event hooks are told."""
    return {
        "id": evaluation.id,
        "method": evaluation.method.name,
        "config": evaluation.config,
        "task": evaluation.task.name,
        "split": evaluation.task.split,
        "seed": evaluation.seed,
        "measures": evaluation.measures,
        "cost": evaluation.cost,
    }


def main(job: Job, connection: Connection) -> None:
    """Entry point of a worker process: what plugins print goes to a log, and it ends when its parent does."""
    _follow_parent()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _redirect(own_work_folder() / "log.txt")
        Worker(job, open_store(job.store, patience=PATIENCE_SECONDS), connection.send).run()
    except KeyboardInterrupt:
        sys.exit(130)
    except (HarnessError, OSError) as error:
        if not isinstance(error, HarnessError) and not disk_full(error):
            raise
        connection.send(Event("broken", "", str(error)))
    finally:
        _redirect(Path(os.devnull))  # what is in Python's buffers still: a full disk would make an error of it
        with suppress(OSError):
            shutil.rmtree(own_work_folder(), ignore_errors=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _redirect(log: Path) -> None:
    """Send what this process writes, at any level, to a file: a plugin's output must not break the progress display."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(handle, stream)


def _follow_parent() -> None:
    """Leave as soon as the parent is gone, however it went."""
    parent = parent_process()
    assert parent is not None, "a worker is started by the local executor"

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

"""Evaluations that nobody will finish: who would have done so is gone."""

from datetime import UTC, datetime

from harness.errors import shortened
from harness.plugins import registry
from harness.runner import record
from harness.runner.job import Event, outcome
from harness.runner.plan import Work
from harness.runner.scrub import scrubbed
from harness.store import Store
from harness.store.records import DeviceRecord
from harness.tasks import open_task


def bury(store: Store, work: Work, device: DeviceRecord, cause: str) -> Event:
    """Record the evaluation as failed, unless it was stored just before; how it is stored now.

    Args:
        store: where it is recorded.
        work: what nobody will finish.
        device: where it was to be done, or that of who tells it.
        cause: why nobody will.
    """
    task = open_task(registry(), work.task)
    setting = record.Setting(work=work, task=task, device=device, started=datetime.now(UTC))
    store.put(record.failed(registry(), setting, shortened(scrubbed(cause))))
    (stored,) = store.evaluations(ids=[work.id], per_query=False)
    return Event(stored.state, work.id, outcome(stored))

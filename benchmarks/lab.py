"""The harness in this process, with a home of its own: evaluations as `harness run` does them, without its start."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import devices
from harness.plugins import registry
from harness.runner.choose import Lessons, choose
from harness.runner.job import Event, Job
from harness.runner.plan import Request, Target, plan
from harness.runner.worker import Worker
from harness.store import open_store
from harness.store.records import Evaluation
from harness.tasks import open_task


class Lab:
    """A home, a folder of collections, and a store."""

    def __init__(self, folder: Path) -> None:
        """Use an empty folder, whose `data` has the collections."""
        self.folder = folder
        os.environ |= {"HARNESS_HOME": str(folder / "home"), "HARNESS_DATA": str(folder / "data")}
        os.environ["HARNESS_INDEXES_GB"] = "20"

    def forget(self) -> None:
        """Lose everything that was kept: the next evaluation is the first, on a machine that has been measured."""
        shutil.rmtree(self.folder / "home", ignore_errors=True)
        devices.require(open_store(), "cpu")

    def evaluate(
        self, plugin: str, options: Mapping[str, str], task: str, *, split: str | None = None, mode: str = "fp32"
    ) -> Evaluation:
        """Evaluate a retriever on a task, from reading the collection to the stored record.

        Raises:
            AssertionError: it failed.
        """
        known, store = registry(), open_store()
        opened = open_task(known, task)
        methods = [replace(method, mode=mode) for method in choose(known, [plugin], options, Lessons())]
        targets = [Target(name=task, task=opened, split=split or opened.facts.split)]
        works = plan(known, Request(methods=methods, targets=targets))
        device = devices.require(store, "cpu").name
        Worker(Job(works=works, device=device, store=None), store, _failed).run()
        return store.evaluation(works[-1].id)


def _failed(event: Event) -> None:
    assert event.kind != "failed", event.text


@contextmanager
def lab() -> Iterator[Lab]:
    """A lab in a folder that is removed afterwards; the environment is as it was."""
    before: dict[str, Any] = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        try:
            yield Lab(folder)
        finally:
            os.environ.clear()
            os.environ.update(before)

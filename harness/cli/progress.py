"""How `harness run` shows what its workers do: a bar on a terminal, a line an evaluation anywhere else."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from harness.runner.job import Event
    from harness.runner.plan import Work

WORDS = {
    "submitted": "submitted",
    "done": "done",
    "already": "done before",
    "failed": "FAILED",
    "elsewhere": "FAILED in another process",
}


class Progress:
    """A context manager; `tell` takes the workers' events."""

    def __init__(self, works: "Sequence[Work]") -> None:
        """Show the progress of these works."""
        self._names = {work.id: _name(work) for work in works}
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("starting", total=len(works))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tell(self, event: "Event") -> None:
        """Show one event."""
        name = self._names[event.id]
        if event.kind == "started":
            self._bar.update(self._task, description=name)
            return
        self._bar.advance(self._task, int(event.kind != "submitted"))
        with_text = f": {event.text}" if event.text else ""
        self._bar.print(
            f"{event.id}  {name}  {WORDS[event.kind]}{with_text}", markup=False, highlight=False, soft_wrap=True
        )


def _name(work: "Work") -> str:
    return f"{work.method.use.name} on {work.task} ({work.split}, seed {work.seed})"

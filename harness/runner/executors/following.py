"""What becomes of a plan that others work on, read from the store: workers on other machines have no pipe to us."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.runner.executors.base import Tell
from harness.runner.job import Event, failures, outcome
from harness.runner.plan import Work
from harness.store import Store
from harness.store.leases import evaluation_resource
from harness.store.records import Evaluation


@dataclass
class Follower:
    """The plan as the store has it, told event by event."""

    store: Store
    """Where it is recorded."""
    works: Sequence[Work]
    """The plan."""
    tell: Tell
    """Called with every event."""
    settled: dict[str, str] = field(default_factory=dict[str, str])
    """Evaluation id → how it ended."""

    def __post_init__(self) -> None:
        """Tell what is done already."""
        self.before = failures(self.store, self.works)
        self._started: set[str] = set()
        states = self.store.states(self.left)
        for done in [work_id for work_id in self.left if states.get(work_id) == "done"]:
            self._settle(Event("already", done))

    @property
    def left(self) -> list[str]:
        """Ids that are not settled yet, in the order of the plan."""
        return [work.id for work in self.works if work.id not in self.settled]

    def look(self) -> bool:
        """Tell what is new; whether everything is settled."""
        stored = self.store.states(self.left)
        for evaluation in self.store.evaluations(ids=list(stored), per_query=False):
            self._hear(evaluation)
        held = self.store.held([evaluation_resource(work_id) for work_id in self.left])
        for work_id in self.left:
            if evaluation_resource(work_id) in held and work_id not in self._started:
                self._started.add(work_id)
                self.tell(Event("started", work_id))
        return not self.left

    def _hear(self, evaluation: Evaluation) -> None:
        if evaluation.state == "done":
            self._settle(Event("done", evaluation.id, outcome(evaluation)))
        elif evaluation.finished != self.before.get(evaluation.id):
            self._settle(Event("failed", evaluation.id, evaluation.error))

    def _settle(self, event: Event) -> None:
        self.settled[event.id] = event.kind
        self.tell(event)

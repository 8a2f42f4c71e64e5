"""Evaluations from elsewhere → a store: what is new gets in with its files, what contradicts stays out and is shown.

Evaluations get in in portions, first stages before what starts from them. The files of a portion come first and its
rows after, in one transaction, while this process has the leases of its evaluations: as a worker does it, so that
whoever clears up meanwhile leaves them alone. A process that is killed leaves whole evaluations; folders without a row,
whose leases died with it, are cleared with all other leftovers.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from harness.errors import StoreError
from harness.store import convert, evaluations, files, leases
from harness.store.conflicts import Conflict, conflict
from harness.store.models import EvaluationRow
from harness.store.owner import this_process
from harness.store.records import Artefact, Evaluation
from harness.store.store import Store
from harness.store.work import own_work_folder

Files = Mapping[str, Callable[[Path], None]]
"""sha256 of each file that came along → writes it to a path."""

PORTION = 50
"""Evaluations that get in together."""

LEASE_SECONDS = 600.0
"""For the files of a portion, which are copied and moved; nobody waits for it, since a dead holder's lease is free."""

PATIENCE_SECONDS, POLL_SECONDS = 5.0, 0.2
"""How long evaluations that others hold are waited for: another intake ends by then, an evaluation may take hours."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of evaluations from elsewhere."""

    added: int
    """Stored now."""
    known: int
    """Here already: the same result, or any where theirs failed."""
    files: int
    """Files that got to their places, those that known evaluations lacked included."""
    conflicts: tuple[Conflict, ...]
    """Those that contradict what is stored, which stays."""
    busy: tuple[str, ...]
    """Ids of those that are being evaluated here right now, or start from one that is; not stored."""


def take_in(store: Store, found: Sequence[Evaluation], arrived: Files) -> Taken:
    """Store checked evaluations, whose artefacts lie where this store keeps them, and the files that came along.

    One that failed never takes the place of another; one that failed here is replaced by one that is done.
    """
    intake = _Intake(store, arrived)
    waiting, end = list(stages_first(found)), time.monotonic() + PATIENCE_SECONDS
    while waiting := intake.take(waiting):
        if time.monotonic() > end:
            break
        time.sleep(POLL_SECONDS)
    with suppress(OSError):  # unless it is used for something else
        own_work_folder().rmdir()
    return Taken(
        added=intake.added,
        known=intake.known,
        files=intake.files,
        conflicts=tuple(intake.conflicts),
        busy=tuple(evaluation.id for evaluation in waiting),
    )


def stages_first(found: Sequence[Evaluation]) -> Iterator[Evaluation]:
    """The evaluations, each after those of them that it started from.

    Raises:
        StoreError: if one started from itself, over however many stages.
    """
    left = {evaluation.id: evaluation for evaluation in found}
    while left:
        ready = [one for one in left.values() if not any(stage in left for stage in one.first_stages)]
        if not ready:
            raise StoreError(f"evaluation {min(left)} starts from itself; expected first stages of their own")
        for evaluation in ready:
            del left[evaluation.id]
        yield from ready


@dataclass
class _Intake:
    """The counts so far, and how a portion gets in."""

    store: Store
    arrived: Files
    added: int = 0
    known: int = 0
    files: int = 0
    conflicts: list[Conflict] = field(default_factory=list[Conflict])

    @property
    def _holder(self) -> str:
        owner = this_process()
        return f"{owner.host}:{owner.pid} taking in"

    def take(self, found: Sequence[Evaluation]) -> list[Evaluation]:
        """Settle what can be settled now; those that wait for others."""
        waiting: set[str] = set()
        for start in range(0, len(found), PORTION):
            self._portion(found[start : start + PORTION], waiting)
        return [evaluation for evaluation in found if evaluation.id in waiting]

    def _portion(self, portion: Sequence[Evaluation], waiting: set[str]) -> None:
        """Settle a portion; the ids of those that others hold are added to those that wait."""
        with self.store.database.writing() as session:
            here = stored(session, [evaluation.id for evaluation in portion])
            wanted = [one for one in (self._wanted(evaluation, here) for evaluation in portion) if one is not None]
            mine = [one for one in wanted if self._acquire(session, one, waiting)]
        self.known += len(portion) - len(wanted) - self._contradicting(portion)
        try:
            for evaluation in mine:
                self._place(evaluation, new=not _is_done(here.get(evaluation.id)))
            self._store(mine, here, waiting)
        except BaseException:
            self._give_back(mine, here)
            raise

    def _contradicting(self, portion: Sequence[Evaluation]) -> int:
        ids = {conflict.evaluation.id for conflict in self.conflicts}
        return sum(evaluation.id in ids for evaluation in portion)

    def _wanted(self, evaluation: Evaluation, here: Mapping[str, Evaluation]) -> Evaluation | None:
        """What is to be stored: the evaluation, or the stored one if it lacks files that came along; None: nothing."""
        mine = here.get(evaluation.id)
        if mine is None or (mine.state, evaluation.state) == ("failed", "done"):
            return evaluation
        if evaluation.state == "failed":
            return None
        if found := conflict(mine, evaluation):
            self.conflicts.append(found)
            return None
        return mine if self._lacking(mine) else None

    def _lacking(self, evaluation: Evaluation) -> list[Artefact]:
        """Artefacts that came along and are not in their places."""
        came = [artefact for artefact in evaluation.artefacts if artefact.sha256 in self.arrived]
        return [artefact for artefact in came if not files.is_kept(artefact)]

    def _place(self, evaluation: Evaluation, *, new: bool) -> None:
        """Put the files that came along in their places; what a killed process left there goes."""
        if new:
            files.remove_all(self.store.artefacts / evaluation.id)
        for artefact in self._lacking(evaluation):
            target, work = files.path_of(artefact), own_work_folder() / f"{evaluation.id}-{artefact.name}"
            try:
                self.arrived[artefact.sha256](work)
                files.place(work, target)
            finally:
                work.unlink(missing_ok=True)
            self.files += 1

    def _store(self, mine: Sequence[Evaluation], here: Mapping[str, Evaluation], waiting: set[str]) -> None:
        """Store the rows and give the leases back; those whose lease was lost meanwhile wait."""
        added = known = 0
        with self.store.database.writing() as session:
            for evaluation in mine:
                resource = leases.evaluation_resource(evaluation.id)
                ours = leases.renew(session, resource, self._holder, this_process(), LEASE_SECONDS)
                if not ours or not waiting.isdisjoint(evaluation.first_stages):
                    waiting.add(evaluation.id)
                elif _is_done(here.get(evaluation.id)):
                    known += 1
                else:
                    evaluations.put(session, evaluation)
                    added += 1
                leases.release(session, resource, self._holder, this_process())
        self.added += added
        self.known += known

    def _acquire(self, session: Session, evaluation: Evaluation, waiting: set[str]) -> bool:
        """Get the evaluation's lease, unless what it starts from waits."""
        resource = leases.evaluation_resource(evaluation.id)
        if waiting.isdisjoint(evaluation.first_stages) and leases.acquire(
            session, resource, self._holder, this_process(), LEASE_SECONDS
        ):
            return True
        waiting.add(evaluation.id)
        return False

    def _give_back(self, mine: Iterable[Evaluation], here: Mapping[str, Evaluation]) -> None:
        """After an error: nothing of this portion is stored, and none of its files stays."""
        with self.store.database.writing() as session:
            for evaluation in mine:
                if not _is_done(here.get(evaluation.id)):
                    files.remove_all(self.store.artefacts / evaluation.id)
                leases.release(session, leases.evaluation_resource(evaluation.id), self._holder, this_process())


def stored(session: Session, ids: Sequence[str]) -> dict[str, Evaluation]:
    """Those of these that are in the store."""
    reader = convert.Reader(per_query=True)
    found: dict[str, Evaluation] = {}
    for chunk in evaluations.chunks(ids):
        rows = session.scalars(select(EvaluationRow).where(EvaluationRow.id.in_(chunk)))
        found |= {row.id: reader.evaluation(row) for row in rows}
    session.expunge_all()  # some are about to be replaced
    return found


def _is_done(evaluation: Evaluation | None) -> bool:
    return evaluation is not None and evaluation.state == "done"

"""What may be asked of a store. Each call is one transaction; calls may come from several threads and processes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from harness.errors import StoreError
from harness.store import convert, evaluations, files, leases, listing
from harness.store.database import Database
from harness.store.models import DeviceRow, EvaluationRow, LeaseRow
from harness.store.owner import this_process
from harness.store.patience import waits
from harness.store.records import Artefact, DeviceRecord, Evaluation, State
from harness.store.validity import check_device, check_evaluation


class Store:
    """Evaluations, devices and leases; made by `harness.store.open_store`."""

    def __init__(self, database: Database, patience: float = 0.0) -> None:
        """A store on a database that has the newest schema; see `harness.store.open_store`."""
        self.database, self.patience = database, patience

    # Evaluations

    @waits
    def put(self, evaluation: Evaluation, holder: str | None = None) -> bool:
        """Store an evaluation. One of the same id that failed is replaced; one that is done is the same work and stays.

        Args:
            evaluation: what came of the work.
            holder: has the lease on it. Nothing is stored if others took it meanwhile: the work is theirs, and they may
                have cleared its files away. A lease that ran out and that nobody took is good enough.

        Returns:
            False if others took the lease.

        Raises:
            StoreError: if a number is NaN or infinite, or the values don't fit the queries.
        """
        check_evaluation(evaluation)
        with self.database.writing() as session:
            lease = leases.evaluation_resource(evaluation.id)
            if holder is not None and not leases.is_own(session, lease, holder, this_process()):
                return False
            evaluations.put(session, evaluation)
        return True

    def state(self, evaluation_id: str) -> State | None:
        """`done`, `failed`, or None if there is no such evaluation."""
        return self.states([evaluation_id]).get(evaluation_id)

    @waits
    def states(self, ids: Sequence[str]) -> dict[str, State]:
        """The states of those of these evaluations that are stored."""
        with self.database.reading() as session:
            return evaluations.states(session, ids)

    @waits
    def evaluation(self, prefix: str) -> Evaluation:
        """The evaluation with this id, or the only one whose id starts so.

        Raises:
            StoreError: if there is none, if there are several, or if the prefix has fewer than 4 characters.
        """
        with self.database.reading() as session:
            row = session.get_one(EvaluationRow, evaluations.full_id(session, prefix))
            return convert.Reader(per_query=True).evaluation(row)

    @waits
    def evaluations(
        self,
        method: str | None = None,
        task: str | None = None,
        state: State | None = None,
        ids: Sequence[str] | None = None,
        per_query: bool = True,
    ) -> list[Evaluation]:
        """The evaluations that meet every condition given, ordered by task, split, method, configuration, seed and id.

        Args:
            method: name of the method.
            task: name of the task.
            state: `done` or `failed`.
            ids: full ids; those that are not stored are left out.
            per_query: whether to read the values by query, which are nearly all of the data.
        """
        query = evaluations.matching(method, task, state, per_query)
        queries = [query]
        if ids is not None:
            queries = [query.where(EvaluationRow.id.in_(chunk)) for chunk in evaluations.chunks(ids)]
        reader = convert.Reader(per_query=per_query)
        with self.database.reading() as session:
            found = [reader.evaluation(row) for query in queries for row in session.scalars(query)]
        return sorted(found, key=evaluations.order)

    def listed(self) -> list[Evaluation]:
        """All evaluations, in no order; each reads its values by query when they are asked for.

        For what looks at a whole store. `harness.store.values` reads the values of many evaluations at once.
        """
        with self.database.reading() as session:
            return listing.listed(session, self.database)

    def remove(self, *ids: str) -> list[Path]:
        """Remove evaluations by id or unique prefix, what only they used, and their files; the files that were there.

        Raises:
            StoreError: if one is not stored, or if another evaluation started from its run and is not removed with it.
        """
        with self.database.writing() as session:
            artefacts = evaluations.remove(session, ids)
        return [file for artefact in artefacts if (file := files.remove(artefact))]

    # Files

    @property
    def artefacts(self) -> Path:
        """The folder of this store's artefacts; it may not be there yet."""
        return files.folder_of(self.database.address)

    def artefact_path(self, artefact: Artefact) -> Path:
        """Where an artefact's file lies, or would."""
        return files.path_of(artefact)

    def checked_path(self, artefact: Artefact) -> Path:
        """Where an artefact's file lies, after comparing its content with what was stored.

        Raises:
            StoreError: if it is not there, or is another.
        """
        return files.checked_path(artefact)

    # Leases

    @waits
    def acquire(self, resource: str, holder: str, seconds: float) -> bool:
        """Take a resource for this process, for `seconds`; False if somebody has it, be it the same holder.

        A lease that has run out, or whose process on this machine is gone, is taken over.
        """
        with self.database.writing() as session:
            return leases.acquire(session, resource, holder, this_process(), seconds)

    def heartbeat(self, resource: str, holder: str, seconds: float) -> bool:
        """Keep a resource for `seconds` from now; False if it is no longer this holder's."""
        with self.database.writing() as session:
            return leases.renew(session, resource, holder, this_process(), seconds)

    @waits
    def release(self, resource: str, holder: str) -> None:
        """Give a resource back, if this holder still has it."""
        with self.database.writing() as session:
            leases.release(session, resource, holder, this_process())

    def holder(self, resource: str) -> tuple[str, datetime] | None:
        """Who has a resource, and until when (UTC) unless it is renewed; None if it is free."""
        with self.database.reading() as session:
            row = session.get(LeaseRow, resource)
            if row is None or leases.is_stale(row, leases.clock(session)):
                return None
            return row.holder, datetime.fromtimestamp(row.expires, UTC)

    @waits
    def held(self, resources: Sequence[str]) -> set[str]:
        """Those of these resources that somebody has."""
        with self.database.reading() as session:
            return leases.held(session, resources)

    @waits
    def drop_stale_leases(self) -> list[str]:
        """Remove the leases that have run out or whose process is gone; the resources they were for."""
        with self.database.writing() as session:
            rows = leases.stale(session)
            for row in rows:
                session.delete(row)
            return [row.resource for row in rows]

    # Devices

    @waits
    def put_device(self, device: DeviceRecord) -> None:
        """Register a device, or replace what is known of it.

        Raises:
            StoreError: if it is registered under another name, or the name is another device's.
        """
        check_device(device)
        with self.database.writing() as session:
            same = select(DeviceRow).where(DeviceRow.kind == device.kind, DeviceRow.identity == device.identity)
            other = session.scalars(same).one_or_none()
            if other is not None and other.name != device.name:
                raise StoreError(
                    f"{device.identity} is registered as {other.name!r}; use that name, "
                    f"or run `harness devices remove {other.name}` first"
                )
            if other is None and (named := session.get(DeviceRow, device.name)):
                raise StoreError(
                    f"the name {device.name!r} belongs to {named.model} ({named.identity}); choose another, "
                    f"or run `harness devices remove {device.name}` first"
                )
            session.merge(convert.device_row(device))

    @waits
    def device(self, name: str) -> DeviceRecord | None:
        """The registered device of this name."""
        with self.database.reading() as session:
            row = session.get(DeviceRow, name)
            return None if row is None else convert.device(row)

    @waits
    def devices(self) -> list[DeviceRecord]:
        """All registered devices, by name."""
        with self.database.reading() as session:
            return sorted(map(convert.device, session.scalars(select(DeviceRow))), key=lambda device: device.name)

    def remove_device(self, name: str) -> None:
        """Forget a device; evaluations keep its name and calibration.

        Raises:
            StoreError: if there is no device of this name.
        """
        with self.database.writing() as session:
            row = session.get(DeviceRow, name)
            if row is None:
                raise StoreError(f"no device is registered as {name!r}; see `harness devices list`")
            session.delete(row)

"""The executor of a Slurm cluster: a job for each evaluation, in arrays; the store is the record of what came of it.

Jobs go on in the store where they were stopped: one whose place or time was taken away is queued again, and a later
`harness run` of the same plan submits what is not done. The store's URL may hold a password: see `submitting`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

from harness import devices
from harness.config import digest
from harness.errors import ConfigError, HarnessError, MissingExtra
from harness.home import home
from harness.runner.executors.arrays import Jobs, arrays, waves
from harness.runner.executors.base import Tell
from harness.runner.executors.burying import bury
from harness.runner.executors.errand import Errand
from harness.runner.executors.following import Follower
from harness.runner.executors.slurm_options import SlurmOptions
from harness.runner.executors.station import Station
from harness.runner.job import Event
from harness.runner.plan import Work
from harness.store import open_store
from harness.store.leases import evaluation_resource
from harness.store.patience import PATIENCE_SECONDS
from harness.store.records import TOGETHER

if TYPE_CHECKING:
    from harness.runner.executors.submitting import Cluster, Here, Job, Slurm

POLL_SECONDS = 0.5
END_SECONDS = 15.0
"""How long jobs get to end by themselves when all is settled."""


@dataclass
class SlurmExecutor:
    """Runs a plan as jobs of a cluster."""

    store_url: str | None
    """The store; every node must reach it."""
    devices: Sequence[str]
    """The kind of device to use, `cuda` or `cpu`; none: as `options.gpus` says."""
    options: SlurmOptions
    """What else was asked for."""
    tell: Tell
    """Called with every event, in this process."""
    time_limit: float | None = None
    """Seconds that an evaluation may take."""
    _jobs: "dict[Job, Sequence[Work]]" = field(default_factory=dict[Any, Sequence[Work]])
    """Jobs that are not over yet, with their evaluations."""
    _over: dict[str, float] = field(default_factory=dict[str, float])
    """Id of a job → since when it is over."""
    _looked: float = 0.0

    def run(self, works: Sequence[Work]) -> dict[str, str]:
        """Settle the plan; see `Executor`. Without `wait`, what is submitted has ended as `submitted`.

        Raises:
            MissingExtra: submitit is not installed.
            ConfigError: there is no Slurm here, it refuses the jobs, or the store can't be shared.
            HarnessError: all jobs are over and evaluations are left.
        """
        follower = Follower(open_store(self.store_url, patience=PATIENCE_SECONDS), works, self.tell)
        cluster = self._cluster(follower)
        if not self.options.wait:
            self._submit(cluster, follower)
            return follower.settled | dict.fromkeys(follower.left, "submitted")
        try:
            self._submit(cluster, follower)
            submitted = list(self._jobs)
            self._follow(cluster, follower)
        except KeyboardInterrupt:
            cluster.cancel(list(self._jobs))
            raise
        self._dismiss(cluster)
        for job in submitted:
            job.paths.submitted_pickle.unlink(missing_ok=True)  # it holds the store's URL
        return follower.settled

    def scripts(self, works: Sequence[Work]) -> list[str]:
        """What `run` would give to sbatch, one text an array; arrays that others wait for have names in place of ids.

        Raises:
            MissingExtra: submitit is not installed.
            ConfigError: the store can't be shared.
        """
        follower = Follower(open_store(self.store_url), works, self.tell)
        self._check(follower)
        if self.options.cluster == "local":
            return []
        cluster, found, before = self._slurm(follower), list[str](), list[str]()
        for wave in self._waves(follower):
            texts = [cluster.script(len(array), before) for array in arrays(wave)]
            found += texts
            before = [f"ARRAY_{number + 1}" for number in range(len(found) - len(texts), len(found))]
        return found

    def _waves(self, follower: Follower) -> list[Jobs]:
        left = set(follower.left)
        return waves([work for work in follower.works if work.id in left])

    def _check(self, follower: Follower) -> None:
        """Refuse what would break the store."""
        if follower.store.database.sqlite and self.options.cluster == "slurm":
            raise ConfigError(
                "jobs of a Slurm cluster run on several machines, and a SQLite store is good for one; "
                "--store postgresql://USER@HOST/DATABASE"
            )

    def _cluster(self, follower: Follower) -> "Cluster":
        """What runs the jobs, and the folder for them, which nobody else may read."""
        self._check(follower)
        cluster = self._here(follower) if self.options.cluster == "local" else self._slurm(follower)
        if self.options.cluster == "slurm" and (missing := [name for name in ("sbatch", "srun") if not which(name)]):
            raise ConfigError(
                f"--executor slurm expects Slurm's commands and found no {missing[0]}; run it on a login node of the "
                "cluster, or try it out with -e cluster=local"
            )
        cluster.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        cluster.folder.chmod(0o700)  # whoever made it
        return cluster

    def _slurm(self, follower: Follower) -> "Slurm":
        return _submitting().Slurm(self._folder(follower), self.options.parameters(self._gpus()), self.options.timeouts)

    def _here(self, follower: Follower) -> "Here":
        given = {"timeout_min": self.options.time, "gpus_per_node": self._gpus()}
        return _submitting().Here(self._folder(follower), given, self.options.timeouts)

    def _folder(self, follower: Follower) -> Path:
        """Of the plan's jobs: its own, since it is closed to others."""
        root = Path(self.options.folder).expanduser().resolve() if self.options.folder else home() / "slurm"
        return root / digest([work.id for work in follower.works])

    def _gpus(self) -> int:
        """How many GPUs a job gets."""
        kinds, wanted = set(self.devices), self.options.gpus
        wanted = int("cuda" in kinds) if wanted is None else wanted
        if kinds and kinds != {"cuda" if wanted else "cpu"}:
            raise ConfigError(
                f"expected one kind of device for all jobs, got --device {' --device '.join(sorted(kinds))} "
                f"with {wanted} GPUs a job; leave --device out, or correct -e gpus=N"
            )
        return wanted

    def _submit(self, cluster: "Cluster", follower: Follower) -> None:
        """Queue all that is left, in order; if a part is refused, none."""
        device = TOGETHER.join(f"cuda:{number}" for number in range(self._gpus())) or "cpu"
        facts: dict[str, Any] = {"store": self.store_url, "devices": (device,), "time_limit": self.time_limit}
        before: list[Job] = []
        try:
            for wave in self._waves(follower):
                stations = [Station(works=works, before=follower.before, **facts) for works in wave]
                before = self._submit_wave(cluster, stations, before)
        except HarnessError:
            cluster.cancel(list(self._jobs))
            raise

    def _submit_wave(self, cluster: "Cluster", stations: list[Station], before: "list[Job]") -> "list[Job]":
        queued: list[Job] = []
        for array in arrays(stations):
            errands = [Errand(station) for station in array]
            for job, station in zip(cluster.submit(errands, before), array, strict=True):
                self._jobs[job] = station.works
                queued.append(job)
                for work in station.works:
                    self.tell(Event("submitted", work.id, f"job {job.job_id}"))
        return queued

    def _follow(self, cluster: "Cluster", follower: Follower) -> None:
        """Until all is settled; what jobs leave undone when they are over has failed."""
        while not follower.look():
            if not self._jobs:
                raise HarnessError(f"{len(follower.left)} evaluations are left and no job works on them; run it again")
            if time.monotonic() - self._looked >= cluster.look_seconds:
                self._note_ended(cluster, follower)
                self._looked = time.monotonic()
            time.sleep(POLL_SECONDS)

    def _note_ended(self, cluster: "Cluster", follower: Follower) -> None:
        """Let go of the jobs that have been over for a while; one that is queued again was so only for a moment."""
        now, ended = time.monotonic(), cluster.ended(list(self._jobs))
        self._over = {job_id: self._over.get(job_id, now) for job_id in ended}
        for job, works in list(self._jobs.items()):
            if job.job_id in ended and now - self._over[job.job_id] >= cluster.grace_seconds:
                left = [work for work in works if work.id in follower.left]
                if _bury(
                    follower, left, f"job {job.job_id} ended before this evaluation was done: {ended[job.job_id]}"
                ):
                    del self._jobs[job]

    def _dismiss(self, cluster: "Cluster") -> None:
        """End the jobs that are left: they do so by themselves when all is settled, unless they are queued still."""
        end = time.monotonic() + END_SECONDS
        left = list(self._jobs)
        while left and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
            left = [job for job in left if not job.paths.result_pickle.exists()]
        cluster.cancel(left)


def _bury(follower: Follower, works: Sequence[Work], cause: str) -> bool:
    """Record what a job has left undone as failed; False if somebody seems to be at it, and it is to be seen again."""
    held = follower.store.held([evaluation_resource(work.id) for work in works])
    free = [work for work in works if evaluation_resource(work.id) not in held]
    for work in free:
        bury(follower.store, work, devices.enlist(follower.store, "cpu"), cause)  # where the job was, nobody knows
    return not held


def _submitting() -> Any:
    """The module that needs submitit."""
    try:
        from harness.runner.executors import submitting
    except ModuleNotFoundError as error:
        if error.name != "submitit":
            raise
        raise MissingExtra("--executor slurm needs submitit: pip install 'retrieval-harness[slurm]'") from None
    return submitting


__all__ = ["SlurmExecutor", "SlurmOptions"]

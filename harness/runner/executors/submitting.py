"""submitit's executors behind one small face: arrays of jobs on Slurm, or jobs on this machine to try it out.

submitit pickles every job into the folder of its logs, and the job holds the store's URL, perhaps with a password. So
only the user can open that folder, and the URL is in no script, no name of a job and no environment that Slurm keeps.
"""

import os
import re
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar, Protocol

import submitit
from submitit.core.utils import FailedJobError, FailedSubmissionError
from submitit.slurm.slurm import SlurmInfoWatcher

from harness.errors import ConfigError
from harness.runner.executors.errand import Errand

Job = submitit.Job[Mapping[str, str]]

OVER = (
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED"),
    *("REVOKED", "TIMEOUT"),
)
"""Slurm's states of a job that doesn't run any more; one that is queued again leaves them in a moment."""
TAIL_LINES = 4
POLL_SECONDS = 0.5


class Cluster(Protocol):
    """What runs jobs."""

    look_seconds: ClassVar[float]
    """After how many seconds it is asked again how jobs are."""
    grace_seconds: ClassVar[float]
    """How long a job must have been over until nobody expects anything of it."""

    def submit(self, errands: Sequence[Errand], after: Sequence[Job]) -> Sequence[Job]:
        """Queue an array of jobs that begin when those of the array before are over, however they ended."""
        ...

    def ended(self, jobs: Sequence[Job]) -> Mapping[str, str]:
        """The jobs that are over: id → how, in a few words."""
        ...

    def cancel(self, jobs: Sequence[Job]) -> None:
        """End them, those that wait and those that run."""
        ...


class _Script(submitit.SlurmExecutor):
    """submitit's executor for Slurm, which also shows a script, on machines without Slurm too."""

    @classmethod
    def affinity(cls) -> int:
        return 2

    def text(self, jobs: int) -> str:
        """The script of an array of so many jobs."""
        self.parameters |= {"map_count": jobs} if jobs > 1 else {}
        return self._make_submission_file_text(self._submitit_command_str, "")


@dataclass
class _Jobs:
    """What every cluster is given."""

    folder: Path
    """Where jobs are pickled and logs are written."""
    parameters: Mapping[str, Any]
    """See `update_parameters` of submitit's executor."""
    timeouts: int
    """How often a job that has run out of time is queued again."""


class Slurm(_Jobs):
    """The Slurm of this machine."""

    look_seconds: ClassVar[float] = 5.0
    grace_seconds: ClassVar[float] = 15.0

    def script(self, jobs: int, after: Sequence[str]) -> str:
        """What is given to sbatch for an array of so many jobs after the arrays with these ids."""
        script = _Script(self.folder, max_num_timeout=self.timeouts)
        script.update_parameters(**self.parameters, dependency=_after(after))
        return script.text(jobs)

    def submit(self, errands: Sequence[Errand], after: Sequence[Job]) -> Sequence[Job]:
        """See `Cluster`.

        Raises:
            ConfigError: sbatch refuses it.
        """
        executor = submitit.SlurmExecutor(self.folder, max_num_timeout=self.timeouts)
        executor.update_parameters(**self.parameters, dependency=_after(_arrays(after)))
        try:
            with _without_secrets(), redirect_stderr(StringIO()):  # submitit prints what it raises
                return executor.submit_array(errands)
        except (FailedJobError, FailedSubmissionError) as error:
            raise ConfigError(f"sbatch expects other options: {error}; correct them (-e …), see `sinfo`") from error

    def ended(self, jobs: Sequence[Job]) -> Mapping[str, str]:
        """See `Cluster`; without an answer of sacct, none is."""
        command = ["sacct", "-X", "-o", "JobID,State,NodeList", "--parsable2", "-j", ",".join(_arrays(jobs))]
        said = SlurmInfoWatcher().read_info(_output(command)) if jobs else {}
        found = {job: said[job.job_id] for job in jobs if job.job_id in said}
        return {
            job.job_id: _how(facts["State"], job, facts.get("NodeList", ""))
            for job, facts in found.items()
            if facts["State"].split(" ")[0] in OVER
        }

    def cancel(self, jobs: Sequence[Job]) -> None:
        """See `Cluster`; one whose job is over stays as it is."""
        if jobs:
            _output(["scancel", *(job.job_id for job in jobs)])


class Here(_Jobs):
    """This machine: all jobs of an array at once, though one after the other on each device."""

    look_seconds: ClassVar[float] = 1.0
    grace_seconds: ClassVar[float] = 2.0

    def submit(self, errands: Sequence[Errand], after: Sequence[Job]) -> Sequence[Job]:
        """See `Cluster`; until they can begin, it waits."""
        while not all(job.done() for job in after):
            time.sleep(POLL_SECONDS)
        executor = submitit.LocalExecutor(self.folder, max_num_timeout=self.timeouts)
        executor.update_parameters(**self.parameters)
        return executor.submit_array(errands)

    def ended(self, jobs: Sequence[Job]) -> Mapping[str, str]:
        """See `Cluster`."""
        return {job.job_id: _how(job.state, job) for job in jobs if job.done()}

    def cancel(self, jobs: Sequence[Job]) -> None:
        """See `Cluster`."""
        for job in jobs:
            job.cancel(check=False)


def _after(ids: Sequence[str]) -> str | None:
    """Slurm's words for: when these are over, however they ended."""
    return ":".join(("afterany", *ids)) if ids else None


def _arrays(jobs: Sequence[Job]) -> list[str]:
    """The ids of the arrays that jobs belong to."""
    return list(dict.fromkeys(job.job_id.partition("_")[0] for job in jobs))


@contextmanager
def _without_secrets() -> Generator[None, None, None]:
    """Leave the store's URL out of the environment that sbatch takes over; the job has it."""
    kept = os.environ.pop("HARNESS_STORE", None)
    try:
        yield
    finally:
        os.environ |= {} if kept is None else {"HARNESS_STORE": kept}


def _output(command: Sequence[str]) -> str:
    """What one of Slurm's commands says; nothing if it fails, as it may for a moment."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def _how(state: str, job: Job, node: str = "") -> str:
    """How a job ended, with the end of its log; not on which node."""
    try:
        lines = [line.strip() for line in job.paths.stderr.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    text = "; ".join(lines[-TAIL_LINES:]) or "it left no log"
    text = re.sub(rf"(?<!\w){re.escape(node)}(?!\w)", "…", text) if node else text
    return f"{state}: {text}"

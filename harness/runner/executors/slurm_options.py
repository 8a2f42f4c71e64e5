"""What can be asked of a Slurm cluster: `-e KEY=VALUE` of `--executor slurm`."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from harness.card import knob

OURS = ("array", "dependency", "error", "job-name", "open-mode", "output", "requeue", "signal")
"""Parameters of sbatch that the harness sets, and that `more` must not."""


@dataclass(frozen=True, kw_only=True)
class SlurmOptions:
    """`-e KEY=VALUE` of `--executor slurm`."""

    partition: str = knob("", "where jobs are queued; default: the cluster's")
    account: str = knob("", "who pays")
    qos: str = knob("", "quality of service")
    constraint: str = knob("", "features that a node must have")
    time: int = knob(240, "of a job, after which it is queued again", unit="minutes", low=1)
    timeouts: int = knob(3, "how often a job that ran out of time is queued again", low=0)
    gpus: int | None = knob(None, "of a job; default: one with --device cuda, else none: its cores", low=0)
    cores: int | None = knob(None, "of a job; default: the partition's", low=1)
    memory: float | None = knob(None, "of a job; default: the partition's", unit="GB", low=0.001)
    at_once: int = knob(256, "jobs of an array that run at once", low=1)
    more: tuple[str, ...] = knob((), "further parameters of sbatch: KEY:VALUE or KEY, separated by commas")
    folder: str = knob("", "of logs, on a file system that all nodes share; default: slurm in $HARNESS_HOME")
    wait: bool = knob(True, "follow the jobs to their ends; false: submit them and leave")
    cluster: Literal["slurm", "local"] = knob("slurm", "local: this machine, without Slurm, to try the script out")

    def __post_init__(self) -> None:
        """Check what no knob can say.

        Raises:
            ValueError: a text that would be more than one parameter, or a parameter that the harness sets itself.
        """
        for text in (self.partition, self.account, self.qos, self.constraint, self.folder, *self.more):
            if not text.isprintable():
                raise ValueError(f"expected printable text, got {text!r}")
        if "%" in self.folder:
            raise ValueError(f"expected a folder without %, which Slurm replaces, got {self.folder!r}")
        for name in self.further:
            if not re.fullmatch(r"[a-z][a-z0-9-]*", name) or name in OURS:
                raise ValueError(f"expected long names of sbatch in more, except {', '.join(OURS)}; got {name!r}")

    @property
    def further(self) -> dict[str, str | bool]:
        """The parameters in `more`."""
        split = [text.partition(":") for text in self.more]
        return {name.strip().removeprefix("--"): value.strip() if colon else True for name, colon, value in split}

    def parameters(self, gpus: int) -> dict[str, Any]:
        """For submitit, and by it for sbatch; `gpus` is what a job gets."""
        return {
            "job_name": "harness",
            "wckey": None,  # submitit's own; a cluster may know no such key
            "partition": self.partition or None,
            "account": self.account or None,
            "qos": self.qos or None,
            "constraint": self.constraint or None,
            "time": self.time,
            "gpus_per_node": gpus or None,
            "cpus_per_task": self.cores,
            "srun_args": [f"--cpus-per-task={self.cores}"]
            if self.cores
            else None,  # Slurm 22.05 takes none from sbatch
            "mem": f"{self.memory * 1024:.0f}M" if self.memory else None,
            "array_parallelism": self.at_once,
            "additional_parameters": {"requeue": True} | self.further,
        }

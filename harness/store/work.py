"""Work folders: one a process, named after it, for files that are not yet where they belong.

It lies on the same file system as the artefacts, so that a file moves to its place whole. Whoever starts next removes
the folders of processes that are gone.
"""

from pathlib import Path

from harness.home import home
from harness.store.owner import Owner, this_process


def work_root() -> Path:
    """Where every process has a work folder of its own."""
    return home() / "work"


def own_work_folder() -> Path:
    """The work folder of this process, made if it is not there."""
    owner = this_process()
    folder = work_root() / f"{owner.host}-{owner.pid}-{owner.started}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_abandoned(name: str) -> bool:
    """Whether the process that a work folder is named after is certainly not there any more."""
    host, pid, started = (*name.split("-"), "", "")[:3]
    return not pid.isdigit() or Owner(host=host, pid=int(pid), started=started).gone

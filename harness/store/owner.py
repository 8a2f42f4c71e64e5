"""Which process holds a lease, and whether it is still there."""

import hashlib
import os
import platform
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

HIDDEN = "hidden"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A process, told apart from any other on any machine at any time."""

    host: str
    """Digest of what the machine, its last start and the process's pid namespace are called; no name in clear."""
    pid: int
    """Process id."""
    started: str
    """When it started: process ids are used again."""

    @property
    def gone(self) -> bool:
        """Whether it certainly doesn't live any more; never true of a process on another machine."""
        return self.host == _host() and _started(self.pid) not in (self.started, HIDDEN)


def this_process() -> Owner:
    """The process that asks."""
    pid = os.getpid()
    return Owner(host=_host(), pid=pid, started=_started(pid) or "")


@cache
def _host() -> str:
    """Where process ids mean the same: two containers of one machine are two places."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        place = f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # no Linux
        place = f"{platform.node()} {uuid.getnode()}"
    return hashlib.sha256(place.encode()).hexdigest()[:16]


def _started(pid: int) -> str | None:
    """When a living process started; None if there is none: a zombie is dead.

    Linux's own count since boot is read where there is one, since psutil's wall-clock time moves when the clock is set.
    """
    if not Path("/proc/self/stat").exists():
        return _started_elsewhere(pid)
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return HIDDEN if _is_hidden(pid) else None
    except ProcessLookupError:
        return None
    return None if state in "ZX" else fields[18]


def _is_hidden(pid: int) -> bool:
    """Whether there is a process of another user that we may not see (/proc mounted with hidepid)."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return False


def _started_elsewhere(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.0f}"
    except psutil.NoSuchProcess:
        return None

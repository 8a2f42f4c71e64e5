"""Which questions each process is putting to a teacher at the moment, so that processes share one teacher's work.

A claim is a file of keys that its process keeps locked; it ends with the process, however that ends. Claims are looked
at and made under one more lock, which is held for no longer than that.
"""

import fcntl
import itertools
import tempfile
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.signals.keys import SIZE

PREFIX = ".asking-"


@dataclass(frozen=True)
class Claim:
    """Keys of questions that only this process puts to the teacher, until `end`."""

    keys: Sequence[bytes]
    """What is claimed."""
    _file: IO[bytes]

    def end(self) -> None:
        """Let others see that it is over; what was answered is stored by then."""
        Path(self._file.name).unlink(missing_ok=True)
        self._file.close()


@contextmanager
def alone(folder: Path) -> Generator[None, None, None]:
    """While nobody else looks at the claims of this folder or makes one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def take(folder: Path, wanted: Iterable[bytes], number: int) -> Claim | None:
    """Claim the first so many of these keys, none of which is claimed; None if there is none. To be called `alone`."""
    keys = list(itertools.islice(wanted, number))
    if not keys:
        return None
    file = tempfile.NamedTemporaryFile(prefix=PREFIX, dir=folder, delete=False)  # noqa: SIM115 - it stays open
    fcntl.flock(file, fcntl.LOCK_EX)
    file.write(b"".join(keys))
    file.flush()
    return Claim(keys, file)


def taken(folder: Path) -> set[bytes]:
    """The keys of all claims whose process lives; files of others are removed. To be called `alone`.

    What is claimed no more was stored before: whoever looks at what is stored after this call misses nothing.
    """
    found: set[bytes] = set()
    for path in folder.glob(f"{PREFIX}*"):
        try:
            with path.open("rb") as file:
                if _locked(file):
                    content = file.read()
                    found |= {content[start : start + SIZE] for start in range(0, len(content), SIZE)}
                else:
                    path.unlink(missing_ok=True)
        except FileNotFoundError:  # its process has just ended it
            continue
    return found


def _locked(file: IO[bytes]) -> bool:
    """Whether another opening of this file is locked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False

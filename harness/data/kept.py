"""What is made once and then kept under `$HARNESS_HOME/data`: JSON values by path, corpora by digest of content."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.data.corpus import ArrowCorpus, build_corpus
from harness.errors import DataError
from harness.records import Document


def kept_json(path: Path, make: Callable[[], Any]) -> Any:
    """The JSON value in this file; if there is none yet, it is made and written, whole or not at all.

    Raises:
        DataError: if the file is damaged.
    """
    if not path.exists():
        write_json(path, make())
    return read_json(path)


def read_json(path: Path) -> Any:
    """The JSON value in a file that `write_json` wrote.

    Raises:
        DataError: if the file is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: expected JSON written by the harness, got {error}; delete the file") from error


def write_json(path: Path, value: Any) -> None:
    """Write a JSON value so that nobody ever sees half of it."""
    with workplace(path.parent) as work:
        (work / path.name).write_text(json.dumps(value), encoding="utf-8")
        os.replace(work / path.name, path)


def kept_corpus(documents: Iterable[Document], folder: Path) -> ArrowCorpus:
    """These documents as a corpus in the sub-folder of `folder` that is named after their digest.

    Raises:
        DataError: see `harness.data.corpus.build_corpus`.
    """
    with workplace(folder) as work:
        built = build_corpus(documents, work / "corpus")
        move_whole(built.folder, folder / built.fingerprint)
    return ArrowCorpus(folder / built.fingerprint)


def move_whole(made: Path, place: Path) -> None:
    """Give a finished folder its place, unless another process was quicker; both made the same."""
    try:
        os.rename(made, place)
    except OSError:
        if not place.is_dir():
            raise


@contextmanager
def workplace(parent: Path) -> Generator[Path]:
    """An empty folder inside `parent`, removed afterwards; what killed processes left of theirs is removed before.

    A process holds a lock on its folder while it lives, so that a folder without one is a leftover.
    """
    parent.mkdir(parents=True, exist_ok=True)
    remove_workplaces(parent)
    work, lock = _own_folder(parent)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(lock)


def remove_workplaces(parent: Path) -> None:
    """Remove what killed processes left of theirs inside `parent`."""
    for left in parent.glob(".work-*"):
        if (lock := _lock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)) is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)


def _own_folder(parent: Path) -> tuple[Path, int]:
    while True:  # another process may take a new folder for a leftover before it is locked
        work = Path(tempfile.mkdtemp(prefix=".work-", dir=parent))
        lock = _lock(work, fcntl.LOCK_EX)
        if lock is not None and work.is_dir():
            return work, lock
        if lock is not None:
            os.close(lock)


def _lock(folder: Path, how: int) -> int | None:
    """The descriptor that holds the lock of a folder; None if it is held by another process or the folder is gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor

"""Where the files of evaluations lie, and whether they are still what was stored."""

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import StoreError
from harness.home import home
from harness.store.records import Artefact


def root() -> Path:
    """The folder of all artefacts."""
    return home() / "artefacts"


def folder_of(address: str) -> Path:
    """The folder of one store's artefacts: two stores in one home must not clear up after each other."""
    return root() / hashlib.sha256(address.encode()).hexdigest()[:12]


def path_of(artefact: Artefact) -> Path:
    """Where an artefact's file lies, or would."""
    return root() / artefact.path


def digest_of(path: Path) -> str:
    """sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked_path(artefact: Artefact) -> Path:
    """Where an artefact's file lies, after comparing its content with what was stored.

    Raises:
        StoreError: if it is not there, or is another.
    """
    path = path_of(artefact)
    try:
        found = digest_of(path)
    except OSError as error:
        raise StoreError(
            f"artefact {artefact.path} is not in {root()} ({error.strerror}); "
            "copy it there, or remove the evaluation and run it again"
        ) from error
    if found != artefact.sha256:
        raise StoreError(
            f"artefact {artefact.path} was changed: expected sha256 {artefact.sha256[:12]}…, got {found[:12]}…; "
            "remove the evaluation and run it again"
        )
    return path


@contextmanager
def whole(file: Path) -> Generator[Path, None, None]:
    """A path to write to, which takes the file's place when the block ends well: it appears whole or not at all."""
    work = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield work
        work.replace(file)
    finally:
        work.unlink(missing_ok=True)


def remove(artefact: Artefact) -> Path | None:
    """Remove an artefact's file, and its folder if nothing else is in it; the file, if it was there."""
    path = path_of(artefact)
    if not path.is_file():
        return None
    path.unlink()
    with suppress(OSError):
        path.parent.rmdir()
    return path

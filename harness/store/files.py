"""Where the files of evaluations lie, and whether they are still what was stored."""

import errno
import hashlib
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import StoreError
from harness.home import home
from harness.seal import digest_of
from harness.store.records import Artefact
from harness.store.remote import VARIABLE, remote


def root() -> Path:
    """The folder of all artefacts on this machine; those at an address are fetched to it when they are asked for."""
    named = os.environ.get(VARIABLE, "")
    return home() / "artefacts" if not named or remote() else Path(named).expanduser().resolve()


def free_bytes() -> int:
    """Room for artefacts on this machine; the folder may not be there yet."""
    return shutil.disk_usage(next(place for place in (root(), *root().parents) if place.exists())).free


def folder_of(address: str) -> Path:
    """The folder of one store's artefacts: two stores in one home must not clear up after each other."""
    return root() / hashlib.sha256(address.encode()).hexdigest()[:12]


def path_of(artefact: Artefact) -> Path:
    """Where an artefact's file lies, or would."""
    return root() / artefact.path


def is_kept(artefact: Artefact) -> bool:
    """Whether the file is here or at the address."""
    there = remote()
    return path_of(artefact).exists() or bool(there and there.has(artefact.path))


def place(file: Path, target: Path) -> None:
    """Move a file to its place among the artefacts, whole, and to the address if there is one.

    Args:
        file: anywhere on this machine.
        target: a path below `root()`; its folder is made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if there := remote():
        there.put(file, target.relative_to(root()).as_posix())
    try:
        os.replace(file, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with whole(target) as part:  # the artefacts are on another file system than the work folders
            shutil.copyfile(file, part)
        file.unlink()


def evaluations_in(folder: Path) -> list[str]:
    """Ids of the evaluations that have files in a store's folder, here or at the address."""
    names = {path.name for path in folder.glob("*") if path.is_dir()}
    if there := remote():
        depth = len(folder.relative_to(root()).parts)
        names |= {Path(path).parts[depth] for path in there.files(folder.relative_to(root()).as_posix())}
    return sorted(names)


def remove_all(folder: Path) -> None:
    """Remove an evaluation's folder, here and at the address."""
    shutil.rmtree(folder, ignore_errors=True)
    if there := remote():
        there.remove(folder.relative_to(root()).as_posix())


def all_in(folder: Path) -> list[str]:
    """Paths of all files of a store's folder, relative to `root()`, here and at the address."""
    names = {path.relative_to(root()).as_posix() for path in folder.rglob("*") if path.is_file()}
    there = remote()
    return sorted(names.union(there.files(folder.relative_to(root()).as_posix()) if there else ()))


def checked_path(artefact: Artefact) -> Path:
    """Where an artefact's file lies, after comparing its content with what was stored.

    Raises:
        StoreError: if it is not there, or is another.
    """
    path = path_of(artefact)
    if (there := remote()) and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        there.fetch(artefact.path, path)
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
    if there := remote():
        there.remove(artefact.path)
    if not path.is_file():
        return None
    path.unlink()
    with suppress(OSError):
        path.parent.rmdir()
    return path

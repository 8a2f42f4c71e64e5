"""Evaluations with the files that they left ↔ one archive, which is checked whole before any of it is used.

A bundle is a zip archive of stored, not packed, members: `bundle.json` says what it is, how many evaluations it holds,
and the size of each file by its sha256; `results.jsonl.gz` has the evaluations; `files/<sha256>` are the files. No name
in it is ever used as a path, and nothing in it is larger than the archive.
"""

import hashlib
import json
import re
import stat
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from harness.errors import StoreError
from harness.store import results_file
from harness.store.archive import UNREADABLE, plain_members
from harness.store.files import whole
from harness.store.records import Evaluation

FORMAT = "harness-bundle-1"
"""Changes when an older harness could no longer read the archive."""

MANIFEST, RESULTS, FILES = "bundle.json", "results.jsonl.gz", "files/"
"""Names of the members; a file's name is the last and its sha256."""

NAMES = re.compile(f"{re.escape(MANIFEST)}|{re.escape(RESULTS)}|{FILES}[0-9a-f]{{64}}")

MOST_MANIFEST_BYTES = 1 << 28
"""A longer manifest is refused: it would be of two million files."""

BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the archive depends on what is in it alone."""

BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A checked archive, open."""

    evaluations: Sequence[Evaluation]
    """As they were written; none is checked but for its files."""
    sizes: Mapping[str, int]
    """Size of each file by sha256."""
    copies: Mapping[str, Callable[[Path], None]]
    """What writes a file to a path, by sha256."""


def write(found: Sequence[Evaluation], files: Mapping[str, Path], file: Path) -> None:
    """Write an archive, whole or not at all; equal evaluations and files give equal bytes.

    Args:
        found: the evaluations.
        files: where each file is that goes along, by the sha256 of its content.
        file: the archive.

    Raises:
        StoreError: if a file changes while it is read.
    """
    sizes = {digest: files[digest].stat().st_size for digest in sorted(files)}
    manifest = {"format": FORMAT, "evaluations": len(found), "files": sizes}
    with whole(file) as work, ZipFile(work, "w") as archive:
        archive.writestr(_member(MANIFEST), json.dumps(manifest, indent=1) + "\n")
        archive.writestr(_member(RESULTS), results_file.packed(found))
        for digest, size in sizes.items():
            with files[digest].open("rb") as source, archive.open(_member(FILES + digest, size), "w") as target:
                _copy(source, target, digest, files[digest].name)


def _member(name: str, size: int = 0) -> ZipInfo:
    info = ZipInfo(name, BEGINNING)
    info.compress_type, info.create_system, info.file_size = ZIP_STORED, 3, size
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info


@contextmanager
def opened(file: Path) -> Generator[Bundle, None, None]:
    """An archive of which every byte has been checked.

    Raises:
        StoreError: no archive, one that is damaged or holds anything but what `write` puts in.
    """
    with ExitStack() as stack:
        try:
            checked = _checked(stack.enter_context(ZipFile(file)), file)
        except UNREADABLE as error:
            told = " ".join(str(error).split()) or type(error).__name__
            raise StoreError(
                f"{file.name}: expected an archive made by `harness results bundle`, got {told}"
            ) from error
        yield checked


def _checked(archive: ZipFile, file: Path) -> Bundle:
    members = _members(archive, file)
    manifest = _manifest(archive, members, file.name)
    sizes: dict[str, int] = manifest["files"]
    _check_files(members, sizes, file.name)
    evaluations = results_file.unpacked(archive.read(members[RESULTS]), f"{file.name}: {RESULTS}")
    if len(evaluations) != manifest["evaluations"]:
        got = f"{manifest['evaluations']} in {MANIFEST} and {len(evaluations)} in {RESULTS}"
        raise StoreError(f"{file.name}: expected as many evaluations as it says, got {got}; bundle them again")
    _check_owners(evaluations, sizes, file.name)
    copies = {digest: partial(_extract, archive, members[FILES + digest], digest) for digest in sizes}
    for digest in sizes:
        with archive.open(members[FILES + digest]) as source:
            _copy(source, None, digest, f"{file.name}: {FILES}{digest}")
    return Bundle(evaluations=evaluations, sizes=sizes, copies=copies)


def _members(archive: ZipFile, file: Path) -> dict[str, ZipInfo]:
    """The members by name: plain, known ones, each once, together no larger than the archive."""
    unexpected = partial(_unexpected, file)
    found = plain_members(archive, file, NAMES, f"{MANIFEST}, {RESULTS} and {FILES}<sha256>", unexpected)
    if missing := {MANIFEST, RESULTS} - set(found):
        raise unexpected(f"{MANIFEST} and {RESULTS}", f"no {min(missing)}")
    return found


def _unexpected(file: Path, expected: str, got: str) -> StoreError:
    return StoreError(f"{file.name}: expected {expected}, got {got}; it is no bundle of ours, or was changed")


def _manifest(archive: ZipFile, members: Mapping[str, ZipInfo], name: str) -> dict[str, Any]:
    where = f"{name}: {MANIFEST}"
    if (size := members[MANIFEST].file_size) > MOST_MANIFEST_BYTES:
        raise StoreError(f"{where}: expected at most {MOST_MANIFEST_BYTES} bytes, got {size}")
    try:
        value = json.loads(archive.read(members[MANIFEST]))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where}: expected JSON, got {error}") from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        got = repr(value.get("format"))[:60] if isinstance(value, dict) else type(value).__name__
        raise StoreError(f"{where}: expected the format {FORMAT}, got {got}; a newer harness may know it")
    files = value.get("files")
    if not isinstance(files, dict) or not all(type(size) is int for size in files.values()):
        raise StoreError(f"{where}: expected `files` with the size of each; bundle them again")
    if type(value.get("evaluations")) is not int:
        raise StoreError(f"{where}: expected `evaluations`, how many there are; bundle them again")
    return value


def _check_files(members: Mapping[str, ZipInfo], sizes: Mapping[str, int], name: str) -> None:
    """The files are those that the manifest names, of the sizes that it gives."""
    there = {path.removeprefix(FILES): info.file_size for path, info in members.items() if path.startswith(FILES)}
    for digest in sorted(there.keys() | sizes.keys()):
        told, got = sizes.get(digest), there.get(digest)
        if told != got:
            raise StoreError(
                f"{name}: file {digest[:12]}…: expected {_bytes(told)}, as {MANIFEST} says, got {_bytes(got)}; "
                "it was damaged or changed: bundle the results again"
            )


def _bytes(size: int | None) -> str:
    return "none" if size is None else f"{size} bytes"


def _check_owners(evaluations: Iterable[Evaluation], sizes: Mapping[str, int], name: str) -> None:
    """Every file is one that an evaluation left, of the size that it says."""
    owned = {artefact.sha256: artefact.bytes for evaluation in evaluations for artefact in evaluation.artefacts}
    for digest, size in sizes.items():
        if owned.get(digest) != size:
            raise StoreError(
                f"{name}: file {digest[:12]}… of {size} bytes: expected one that an evaluation left, "
                f"which has {_bytes(owned.get(digest))} of this sha256"
            )


def _extract(archive: ZipFile, member: ZipInfo, digest: str, target: Path) -> None:
    try:
        with archive.open(member) as source, target.open("wb") as file:
            _copy(source, file, digest, member.filename)
    except (BadZipFile, EOFError) as error:
        raise StoreError(
            f"{member.filename} has changed since it was checked: {error}; take the file in again"
        ) from error


def _copy(source: IO[bytes], target: IO[bytes] | None, digest: str, name: str) -> None:
    """Copy a file, or only read it, and make sure that it is the one that it is said to be."""
    hasher = hashlib.sha256()
    while block := source.read(BLOCK):
        hasher.update(block)
        if target is not None:
            target.write(block)
    if hasher.hexdigest() != digest:
        raise StoreError(f"{name}: expected sha256 {digest[:12]}…, got {hasher.hexdigest()[:12]}…; it was changed")

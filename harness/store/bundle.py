"""Evaluations ↔ one file of gzipped JSON lines, checked by its hash.

The first line says what the file is, how many evaluations it holds, and the sha256 of all lines after it: the methods,
tasks and environments that evaluations share, each under its digest, then the evaluations.
"""

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.errors import StoreError
from harness.store import convert, wire
from harness.store.records import Evaluation, MethodRecord, TaskRecord

FORMAT = "harness-results-1"
"""Changes when an older harness could no longer read the file."""

MOST_BYTES = 1 << 34
"""A file that unpacks to more is refused."""

SHARED: dict[str, type[Any] | None] = {"environment": None, "method": MethodRecord, "task": TaskRecord}
"""Fields of an evaluation that have lines of their own, with the record they are; None for a JSON object."""


def write(found: Iterable[Evaluation], file: Path) -> int:
    """Write evaluations, the file whole or not at all; equal evaluations give equal bytes. Returns how many."""
    ordered = sorted(found, key=lambda evaluation: evaluation.id)
    content = b"".join(_lines(ordered))
    header = {"format": FORMAT, "evaluations": len(ordered), "sha256": hashlib.sha256(content).hexdigest()}
    work = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        work.write_bytes(gzip.compress(_line(header) + content, mtime=0))
        work.replace(file)
    finally:
        work.unlink(missing_ok=True)
    return len(ordered)


def read(file: Path) -> list[Evaluation]:
    """The evaluations of a file.

    Raises:
        StoreError: no such file, another content than its hash says, or a line that is no record.
    """
    first, _, content = _unpacked(file).partition(b"\n")
    header = _object(first, file.name)
    if header.get("format") != FORMAT:
        raise StoreError(f"{file.name}: expected a file of the format {FORMAT}, got {header.get('format')!r}")
    found = hashlib.sha256(content).hexdigest()
    if found != header.get("sha256"):
        raise StoreError(
            f"{file.name} was damaged or changed: its lines have sha256 {found[:12]}…, its first line says "
            f"{str(header.get('sha256'))[:12]}…; export it again"
        )
    return list(_evaluations(content.splitlines(), file.name))


def _lines(ordered: Sequence[Evaluation]) -> Iterator[bytes]:
    shared: dict[tuple[str, str], bytes] = {}
    own: list[bytes] = []
    for evaluation in ordered:
        rows = {
            "environment": convert.environment_row(evaluation.environment),
            "method": convert.method_row(evaluation.method),
            "task": convert.task_row(evaluation.task),
        }
        digests = {kind: row.digest for kind, row in rows.items()}
        for kind, digest in digests.items():
            if (kind, digest) not in shared:
                shared[kind, digest] = _line({"kind": kind, "digest": digest, "value": getattr(evaluation, kind)})
        own.append(_line({"kind": "evaluation", "value": wire.parts(evaluation) | digests}))
    yield from (shared[key] for key in sorted(shared))
    yield from own


def _line(value: Any) -> bytes:
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), default=wire.plain)
    return text.encode("ascii") + b"\n"


def _evaluations(lines: Sequence[bytes], name: str) -> Iterator[Evaluation]:
    shared: dict[tuple[Any, Any], Any] = {}
    for number, line in enumerate(lines, 2):
        where = f"{name}, line {number}"
        entry = _object(line, where)
        kind, value = entry.get("kind"), entry.get("value")
        if kind in SHARED:
            of = SHARED[kind]
            shared[kind, entry.get("digest")] = value if of is None else wire.record(of, value, where)
        elif kind == "evaluation" and isinstance(value, dict):
            yield wire.record(Evaluation, value | _shared(value, shared, where), where)
        else:
            raise StoreError(f"{where}: expected an evaluation or what it shares, got {kind!r}")


def _shared(value: dict[str, Any], shared: dict[tuple[Any, Any], Any], where: str) -> dict[str, Any]:
    """The method, task and environment that an evaluation names by digest."""
    named = {kind: (kind, value.get(kind)) for kind in SHARED}
    for kind, key in named.items():
        if key not in shared:
            raise StoreError(f"{where}: no line before it has the {kind} that it names")
    return {kind: shared[key] for kind, key in named.items()}


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise StoreError(f"{where}: expected JSON, got {error}") from None
    if not isinstance(value, dict):
        raise StoreError(f"{where}: expected a JSON object")
    return value


def _unpacked(file: Path) -> bytes:
    try:
        with gzip.open(file) as lines:
            content = lines.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise StoreError(f"{file.name}: expected a file made by `harness results export`, got {error}") from error
    if len(content) > MOST_BYTES:
        raise StoreError(f"{file.name} unpacks to more than {MOST_BYTES} bytes; expected exported results")
    return content

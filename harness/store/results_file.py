"""Evaluations ↔ gzipped JSON lines, checked by their hash.

The first line says what this is, how many evaluations follow, and the sha256 of all lines after it: the methods,
tasks and environments that evaluations share, each under its digest, then the evaluations.
"""

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from harness.errors import StoreError
from harness.store import convert, wire
from harness.store.records import Evaluation, MethodRecord, TaskRecord

FORMAT = "harness-results-1"
"""Changes when an older harness could no longer read the file."""

MOST_BYTES, FREE_BYTES, MOST_RATIO = 1 << 34, 1 << 26, 100
"""What unpacks to more than the first is refused, and so is what unpacks to more than the second and to more than this
many times its size: results shrink to about a fifth, only a trap shrinks to a thousandth."""

SHARED: dict[str, type[Any] | None] = {"environment": None, "method": MethodRecord, "task": TaskRecord}
"""Fields of an evaluation that have lines of their own, with the record they are; None for a JSON object."""


def packed(found: Iterable[Evaluation]) -> bytes:
    """Evaluations as one file's content; equal evaluations give equal bytes."""
    ordered = sorted(found, key=lambda evaluation: evaluation.id)
    content = b"".join(_lines(ordered))
    header = {"format": FORMAT, "evaluations": len(ordered), "sha256": hashlib.sha256(content).hexdigest()}
    return gzip.compress(_line(header) + content, mtime=0)


def unpacked(file: bytes, name: str) -> list[Evaluation]:
    """The evaluations of a file's content.

    Args:
        file: what `packed` gave.
        name: what the file is called in an error.

    Raises:
        StoreError: another content than its hash says, a line that is no record, or an evaluation that comes twice.
    """
    first, _, content = _lines_of(file, name).partition(b"\n")
    header = _object(first, name)
    if header.get("format") != FORMAT:
        raise StoreError(f"{name}: expected a file of the format {FORMAT}, got {header.get('format')!r}")
    found = hashlib.sha256(content).hexdigest()
    if found != header.get("sha256"):
        raise StoreError(
            f"{name} was damaged or changed: its lines have sha256 {found[:12]}…, its first line says "
            f"{str(header.get('sha256'))[:12]}…; export it again"
        )
    evaluations = list(_evaluations(content.splitlines(), name))
    _check_once(evaluations, name)
    return evaluations


def _check_once(evaluations: Sequence[Evaluation], name: str) -> None:
    seen: set[str] = set()
    for evaluation in evaluations:
        if evaluation.id in seen:
            raise StoreError(f"{name}: expected every evaluation once, got {evaluation.id} twice; export it again")
        seen.add(evaluation.id)


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
    shared: dict[tuple[str, str], Any] = {}
    for number, line in enumerate(lines, 2):
        where = f"{name}, line {number}"
        entry = _object(line, where)
        kind, value, digest = entry.get("kind"), entry.get("value"), entry.get("digest")
        if isinstance(kind, str) and kind in SHARED and isinstance(digest, str):
            of = SHARED[kind]
            shared[kind, digest] = value if of is None else wire.record(of, value, where)
        elif kind == "evaluation" and isinstance(value, dict):
            yield wire.record(Evaluation, value | _shared(value, shared, where), where)
        else:
            raise StoreError(f"{where}: expected an evaluation or what it shares, got {str(kind)[:60]!r}")


def _shared(value: dict[str, Any], shared: dict[tuple[str, str], Any], where: str) -> dict[str, Any]:
    """The method, task and environment that an evaluation names by digest."""
    named = {kind: (kind, str(value.get(kind))) for kind in SHARED}
    for kind, key in named.items():
        if key not in shared:
            raise StoreError(f"{where}: no line before it has the {kind} that it names")
    return {kind: shared[key] for kind, key in named.items()}


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where}: expected JSON, got {error}") from None
    if not isinstance(value, dict):
        raise StoreError(f"{where}: expected a JSON object")
    return value


def _lines_of(file: bytes, name: str) -> bytes:
    limit = min(MOST_BYTES, max(FREE_BYTES, MOST_RATIO * len(file)))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(file)) as lines:
            content = lines.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise StoreError(f"{name}: expected a file made by `harness results export`, got {error}") from error
    if len(content) > limit:
        raise StoreError(f"{name} unpacks to more than {limit} bytes; expected exported results")
    return content

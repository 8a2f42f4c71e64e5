"""External results: what others say of a method, stored beside what was evaluated and never taken for it.

Such a result is named by all that it says: where it is from, the method, the task's content and the figures, or the
run that they are of. So the same result twice is one, a corrected one is another, and its id, which begins with a
letter that no hexadecimal number has, is never that of an evaluation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from harness.errors import StoreError
from harness.store import convert
from harness.store.records import Evaluation, MethodRecord, TaskRecord
from harness.store.validity import EXTERNAL_PREFIX

KIND = "external"
"""Kind of the method of an external result: no plugin's."""

LONGEST_NAME = 200


@dataclass(frozen=True, kw_only=True)
class Said:
    """What somebody says of a method on a task."""

    method: str
    """What they call the method."""
    summary: str
    """What kind of source it is, in a sentence."""
    origin: Mapping[str, str]
    """Where it is from: `source`, and what else is known. The same for all that is said of one method by one source."""
    file: Mapping[str, str]
    """The file that says it."""
    task: TaskRecord
    """On what."""
    content: Any
    """The figures or the digest of the run: JSON values that name the result."""
    measures: Mapping[str, float]
    """Means over all queries."""
    per_query: Mapping[str, tuple[float, ...]]
    """Values by measure; empty tuples where only the means are known."""
    started: datetime
    """UTC."""
    finished: datetime
    """UTC."""
    command: str
    """The command that takes it in."""


def external(said: Said) -> Evaluation:
    """The record of what was said.

    Raises:
        StoreError: the method's name is empty, too long, or has characters that can't be seen; the URL is none.
    """
    _check_name(said.method)
    _check_url(said.origin.get("url", ""))
    origin = {name: value for name, value in said.origin.items() if value}
    return Evaluation(
        id=_id(said, origin),
        state="done",
        method=_method(said),
        config=origin,
        config_digest=convert.digest({"external": origin})[:16],
        checkpoints={},
        task=said.task,
        seed=0,
        division="external",
        device="",
        environment=dict(said.file),
        harness_version=version("retrieval-harness"),
        command=said.command,
        started=said.started,
        finished=said.finished,
        measures=said.measures,
        per_query=said.per_query,
    )


def _id(said: Said, origin: Mapping[str, str]) -> str:
    task = [said.task.fingerprint, bool(said.task.facts.get("exclude_self"))]
    parts = {"external": said.method, "origin": dict(origin), "task": task, "content": said.content}
    return EXTERNAL_PREFIX + convert.digest(parts)[:15]


def _method(said: Said) -> MethodRecord:
    card = {"name": said.method, "kind": KIND, "summary": said.summary}
    return MethodRecord(implementation="", name=said.method, kind=KIND, distribution="", version="", card=card)


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise StoreError(f"expected a method's name of 1 to {LONGEST_NAME} visible characters, got {name[:50]!r}")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        fine = not url or (parts.scheme in ("http", "https") and parts.hostname and parts.username is None)
    except ValueError:
        fine = False
    if not fine:
        raise StoreError(f"expected an address that begins with https:// or http://, got {url[:80]!r}")

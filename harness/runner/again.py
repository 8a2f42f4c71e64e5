"""A stored evaluation done again, from what is stored of it, and compared with what was found then.

It runs in a process and a home of its own, which shares with the user's what is known by its content: built corpora,
digests, teachers' answers, and the trainings of other students. Its own student is trained anew, and indexes are built
anew, so that nothing is compared with itself.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from harness.errors import ConfigError, HarnessError
from harness.home import home
from harness.store import Store, open_store
from harness.store.records import Evaluation
from harness.store.remote import VARIABLE

SHARED = ("data", "digests", "environments", "signals")
"""Folders of a home that are known by their content."""

FLAG = "--isolate"
OPTIONS = (
    "--plugin",
    "-o",
    "--teacher",
    "--student",
    "--budget",
    "--train-on",
    "--mode",
    "--task",
    "--split",
    "--seed",
)
"""What `record.command` writes, each with a value."""

Verdict = Literal["equal", "within", "different"]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What came out, beside what is stored."""

    verdict: Verdict
    """equal: every value of every query and the run itself, bit for bit; within: no mean is further off than the
    tolerance; different: one is, or other queries were scored."""
    means: Mapping[str, tuple[float, float]]
    """By measure: then and now; only of measures that both have."""
    queries: int
    """How many queries have another value of any measure."""
    same_run: bool
    """Whether the ranking itself is the same, scores included."""
    changed: tuple[str, ...]
    """What is no longer as it was: code, versions, device, data."""


def again(evaluation: Evaluation, folder: Path, words: Sequence[str] = ()) -> Evaluation:
    """What doing it again gives.

    Args:
        evaluation: a stored one that ran here or in another harness.
        folder: an empty one, for the home.
        words: further words of `harness run`, such as `--device NAME`.

    Raises:
        ConfigError: an external result, which no harness ran, or a stored command that no harness wrote.
        HarnessError: it failed this time, with its error.
    """
    if evaluation.division == "external":
        raise ConfigError(f"{evaluation.id} is an external result: no harness ran it, so none can run it again")
    if evaluation.state != "done":
        raise ConfigError(f"{evaluation.id} failed when it ran: {evaluation.error}; `harness run` tries it again")
    command = [sys.executable, "-m", "harness.cli.main", *_stored_words(evaluation), *words]
    _share(folder, evaluation.training.get("lesson", ""))
    environment = os.environ | {"HARNESS_HOME": str(folder)}
    for name in ("HARNESS_STORE", VARIABLE):
        environment.pop(name, None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found = _result(open_store(str(folder / "harness.db")), evaluation) if (folder / "harness.db").exists() else None
    if found is None or found.state != "done":
        why = found.error if found else _last_line(done.stderr)
        raise HarnessError(f"{evaluation.id} could not be done again: {why}\ncommand: {evaluation.command}")
    return found


def _stored_words(evaluation: Evaluation) -> list[str]:
    """The words of its command after `harness`: it may be from elsewhere, and must not do anything else here.

    Raises:
        ConfigError: it is not what the harness writes.
    """
    try:
        name, command, *words = shlex.split(evaluation.command)
    except ValueError:
        name, command, words = "", "", [""]
    flags = [word for word in words if word == FLAG][:1]
    words = [word for word in words if word != FLAG]
    if (name, command) != ("harness", "run") or len(words) % 2 or any(word not in OPTIONS for word in words[::2]):
        raise ConfigError(
            f"{evaluation.id}: expected a stored command `harness run` with {', '.join((*OPTIONS, FLAG))} alone, got "
            f"{evaluation.command[:200]!r}; it is not run: if you trust it, run it yourself"
        )
    return [command, *words, *flags]


def _share(folder: Path, own_lesson: str) -> None:
    for name in SHARED:
        (home() / name).mkdir(exist_ok=True)
        (folder / name).symlink_to(home() / name)
    (folder / "trained").mkdir()
    for lesson in (home() / "trained").glob("*"):
        if lesson.name != own_lesson:
            (folder / "trained" / lesson.name).symlink_to(lesson)


def _result(store: Store, stored: Evaluation) -> Evaluation | None:
    """Of what ran, that which nothing else started from."""
    ran = store.evaluations(method=stored.method.name)
    before = {stage for evaluation in ran for stage in evaluation.first_stages}
    return next((one for one in ran if one.id not in before and one.seed == stored.seed), None)


def _last_line(text: str) -> str:
    said = text.strip().splitlines()
    return said[-1].removeprefix("harness: error: ") if said else "it said nothing"


def compare(then: Evaluation, now: Evaluation, tolerance: float) -> Comparison:
    """The two beside each other.

    Args:
        then: as it was stored.
        now: as it was found this time.
        tolerance: how far a mean may be off.
    """
    shared = [name for name in then.measures if name in now.measures]
    means = {name: (then.measures[name], now.measures[name]) for name in shared}
    same_queries = then.task.query_ids == now.task.query_ids
    queries = _differing(then, now, shared) if same_queries and then.per_query else 0
    same_run = _run(then) == _run(now)
    off = max((abs(one - other) for one, other in means.values()), default=float("inf"))
    verdict: Verdict = "different"
    if same_queries and off <= tolerance:
        verdict = "equal" if not queries and same_run and off == 0 else "within"
    changed = tuple(_changes(then, now))
    return Comparison(verdict=verdict, means=means, queries=queries, same_run=same_run, changed=changed)


def _differing(then: Evaluation, now: Evaluation, measures: Sequence[str]) -> int:
    other = np.zeros(len(then.task.query_ids), np.bool_)
    for name in measures:
        other |= np.asarray(then.per_query[name]) != np.asarray(now.per_query[name])
    return int(other.sum())


def _run(evaluation: Evaluation) -> str:
    return next((artefact.sha256 for artefact in evaluation.artefacts if artefact.name == "run"), "none")


def _changes(then: Evaluation, now: Evaluation) -> Iterator[str]:
    yield from _change("data of the task", then.task.fingerprint[:12], now.task.fingerprint[:12])
    yield from _change("code of the method", then.method.implementation, now.method.implementation)
    yield from _change("retrieval-harness", then.harness_version, now.harness_version)
    for name, value in _flat(then.config).items():
        yield from _change(f"option {name}", value, _flat(now.config).get(name))
    for name, value in then.checkpoints.items():
        yield from _change(f"checkpoint {name}", value, now.checkpoints.get(name))
    before, after = _flat(then.environment), _flat(now.environment)
    for name in sorted({*before, *after}):
        if not name.startswith(("git", "memory", "plugins.")):
            yield from _change(name.removeprefix("packages."), before.get(name), after.get(name))


def _change(name: str, then: Any, now: Any) -> Iterator[str]:
    if then != now:
        yield f"{name}: {_shown(then)} → {_shown(now)}"


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return found

"""A finished work → the record that is stored of it."""

import os
import shlex
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.card import Use
from harness.config import digest
from harness.contracts import FP32, Task
from harness.describe import describe
from harness.environment import describe as describe_environment
from harness.errors import CheckpointError, HarnessError, shortened
from harness.nn.checkpoint import identity
from harness.plugins import Registry
from harness.runner import lessons
from harness.runner.evaluate import Outcome
from harness.runner.isolation import ISOLATED
from harness.runner.plan import Work
from harness.runner.scrub import scrubbed
from harness.store.records import Artefact, DeviceRecord, Evaluation, MethodRecord, TaskRecord


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where and when a work ran."""

    work: Work
    """What ran."""
    task: Task
    """On what."""
    device: DeviceRecord
    """On which device."""
    started: datetime
    """UTC."""


def done(registry: Registry, setting: Setting, outcome: Outcome, artefacts: tuple[Artefact, ...]) -> Evaluation:
    """The record of a work that succeeded."""
    results = {
        "per_query": outcome.per_query,
        "measures": means(outcome.per_query),
        "cost": outcome.cost,
        "artefacts": artefacts,
    }
    return _record(registry, setting, "done", training=lessons.record(setting.work), **results)


def means(per_query: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The mean of each measure over all queries."""
    return {name: sum(values) / len(values) for name, values in per_query.items()}


def failed(registry: Registry, setting: Setting, error: str) -> Evaluation:
    """The record of a work that failed, with its error."""
    return _record(registry, setting, "failed", error=error)


def _record(registry: Registry, setting: Setting, state: Any, **results: Any) -> Evaluation:
    work = setting.work
    return Evaluation(
        id=work.id,
        state=state,
        method=_method(registry, work),
        config=work.config,
        config_digest=digest(work.config),
        checkpoints={name: _content(name, resolved) for name, resolved in work.checkpoints.items()},
        task=task_record(setting.task, work.split),
        seed=work.seed,
        division=work.division,
        suite=work.suite,
        first_stages=work.first_stages,
        device=setting.device.name,
        calibration=setting.device.calibration,
        environment=describe_environment() | _trusted(work),
        harness_version=version("retrieval-harness"),
        command=command(work),
        role=work.method.role,
        started=setting.started,
        finished=datetime.now(UTC),
        **results,
    )


def _trusted(work: Work) -> dict[str, list[str]]:
    """The checkpoints of this work whose own code was allowed to run; their digests cover that code."""
    names = sorted(work.trust_remote_code & set(work.checkpoints))
    return {"trust_remote_code": names} if names else {}


def _content(name: str, resolved: str) -> str:
    """What a checkpoint of ours turned out to hold; the others were known before."""
    try:
        return identity(name) if name == resolved else resolved
    except CheckpointError:
        return resolved


def _method(registry: Registry, work: Work) -> MethodRecord:
    card, source = registry.find(work.method.use.name, work.method.use.kind)
    return MethodRecord(
        implementation=work.implementation,
        name=card.name,
        kind=card.kind,
        distribution=source.distribution,
        version=source.version,
        card=describe(card),
    )


def task_record(task: Task, split: str) -> TaskRecord:
    """The record of a task's split."""
    queries, qrels = task.queries(split), task.qrels(split)
    facts = {name: value for name, value in asdict(task.facts).items() if name not in ("name", "split")}
    counts = {"documents": len(task.corpus()), "queries": len(queries), "judgements": len(qrels.rows)}
    return TaskRecord(
        fingerprint=task.fingerprint(split),
        name=task.facts.name,
        split=split,
        facts=facts | counts,
        query_ids=qrels.query_ids,
        query_texts=tuple(query.text for query in queries),
    )


def command(work: Work) -> str:
    """The command line that does this work again; options that have their default value are left out.

    So is `--trust-remote-code`: whoever runs it says so himself.
    """
    words = ["harness", "run", "--plugin", work.method.use.name]
    words += _option_words(options(work.method.use))
    if work.method.teacher:
        words += ["--teacher", work.method.teacher.name]
        words += _option_words({f"teacher.{key}": value for key, value in options(work.method.teacher).items()})
    if work.method.student:
        words += ["--student", work.method.student]
    for name, value in asdict(work.method.budget).items():
        words += [] if value is None else ["--budget", f"{name}={value}"]
    words += [word for name in work.method.train_on for word in ("--train-on", name)]
    words += ["--mode", work.method.mode] if work.method.mode != FP32 else []
    words += ["--isolate"] if os.environ.get(ISOLATED) else []
    return shlex.join([*words, "--task", work.task, "--split", work.split, "--seed", str(work.seed)])


def _option_words(given: Mapping[str, str]) -> list[str]:
    return [word for key, value in given.items() for word in ("-o", f"{key}={value}")]


def options(chosen: Use) -> dict[str, str]:
    """The text options that make this configuration, without those that have their default value."""
    found: dict[str, str] = {}
    for field in fields(chosen.config):
        value = getattr(chosen.config, field.name)
        if isinstance(value, Use):
            found[field.name] = value.name
            found |= {f"{field.name}.{key}": text for key, text in options(value).items()}
        elif isinstance(value, tuple) and value and isinstance(value[0], Use):
            found[field.name] = ",".join(part.name for part in value)
            for position, part in enumerate(value):
                found |= {f"{field.name}.{position}.{key}": text for key, text in options(part).items()}
        elif value != field.default:
            found[field.name] = _text(value)
    return found


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool | None) else str(value)


def error_text(error: BaseException) -> str:
    """One line for the store: what was raised and, if it isn't a harness error, where; nothing of this machine."""
    message = shortened(scrubbed(" ".join(str(error).split())))
    if isinstance(error, HarnessError):
        return f"{type(error).__name__}: {message}"
    return f"{type(error).__name__}: {message} ({_where(traceback.extract_tb(error.__traceback__))})"


def _where(frames: Iterable[traceback.FrameSummary]) -> str:
    places = [f"{Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    return " → ".join(places[-4:])

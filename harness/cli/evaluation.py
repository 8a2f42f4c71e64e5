"""An evaluation as it is shown: a row of a table, lines of a page, a JSON object."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from harness.store.records import Evaluation


def as_summary(evaluation: Evaluation) -> dict[str, Any]:
    """What identifies it, how it went, what it found and what it cost."""
    method, task = evaluation.method, evaluation.task
    return {
        "id": evaluation.id,
        "method": method.name,
        "kind": method.kind,
        "config": evaluation.config,
        "task": task.name,
        "split": task.split,
        "seed": evaluation.seed,
        "state": evaluation.state,
        "measures": evaluation.measures,
        "cost": evaluation.cost,
        "device": evaluation.device,
        "division": evaluation.division,
        "suite": evaluation.suite,
        "role": evaluation.role,
        "first_stages": evaluation.first_stages,
        "started": evaluation.started,
        "finished": evaluation.finished,
        "command": evaluation.command,
        "error": evaluation.error,
    }


def as_detail(evaluation: Evaluation) -> dict[str, Any]:
    """The summary, and all that is needed to make it again and to check it."""
    method, task = evaluation.method, evaluation.task
    return as_summary(evaluation) | {
        "config_digest": evaluation.config_digest,
        "implementation": method.implementation,
        "distribution": method.distribution,
        "version": method.version,
        "harness_version": evaluation.harness_version,
        "checkpoints": evaluation.checkpoints,
        "task_fingerprint": task.fingerprint,
        "task_facts": task.facts,
        "calibration": evaluation.calibration,
        "environment": evaluation.environment,
        "artefacts": [asdict(artefact) for artefact in evaluation.artefacts],
    }


def as_everything(evaluation: Evaluation) -> dict[str, Any]:
    """The detail, the method's card, and the values by query."""
    task = evaluation.task
    values = {name: dict(zip(task.query_ids, values, strict=True)) for name, values in evaluation.per_query.items()}
    return as_detail(evaluation) | {"card": evaluation.method.card, "per_query": values}


def as_row(evaluation: Evaluation) -> list[str]:
    """A line of the list."""
    task = evaluation.task
    return [
        evaluation.id,
        evaluation.method.name,
        _options(evaluation),
        task.name,
        task.split,
        str(evaluation.seed),
        evaluation.state,
        _result(evaluation),
        evaluation.device,
        f"{evaluation.finished:%Y-%m-%d %H:%M}",
    ]


def as_lines(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Names and values, one a line; nested ones as `config.base.k1`."""
    detail = as_detail(evaluation)
    lines: list[tuple[str, str]] = []
    for name, value in detail.items():
        lines += _flat(name, value)
    return [line for line in lines if line[1]]


def name_of(evaluation: Evaluation) -> str:
    """What ran on what."""
    task = evaluation.task
    return f"{evaluation.method.name} on {task.name} ({task.split}, seed {evaluation.seed}): {_result(evaluation)}"


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        items = enumerate(value)
    else:
        return [(name, _shown(value))]
    return [line for key, item in items for line in _flat(f"{name}.{key}", item)]


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return str(value)


def _result(evaluation: Evaluation) -> str:
    """The task's main measure, or the error."""
    if evaluation.state == "failed":
        return evaluation.error
    name, mean = next(iter(evaluation.measures.items()))
    return f"{name} {mean:.4f}"


def _options(evaluation: Evaluation) -> str:
    """The options that differ from their defaults."""
    defaults = {knob["name"]: knob.get("default") for knob in evaluation.method.card.get("knobs", [])}
    changed = {name: _plain(value) for name, value in evaluation.config.items()}
    return " ".join(f"{name}={value}" for name, value in changed.items() if value != _plain(defaults.get(name)))


def _plain(value: Any) -> str:
    """An option's value as it would be written on the command line; of a nested plugin, its name."""
    if isinstance(value, list):
        return ",".join(map(_plain, value))
    return str(value["plugin"] if isinstance(value, Mapping) and "plugin" in value else value)

"""Evaluations → the tasks and methods that they are of, each with a label and a page of its own."""

from collections.abc import Sequence
from datetime import datetime

from harness.store.records import Evaluation
from harness_leaderboard.labels import Key, labels, options
from harness_leaderboard.model import Method, Task
from harness_leaderboard.public import slug, unique


def method_key(evaluation: Evaluation) -> Key:
    """Which method it is an evaluation of."""
    return evaluation.method.name, evaluation.config_digest


def task_key(evaluation: Evaluation) -> str:
    """Which task it is on: equal content under an equal rule."""
    rule = "-without-self" if evaluation.task.facts.get("exclude_self") else ""
    return f"{evaluation.task.fingerprint}{rule}"


def age(evaluation: Evaluation) -> tuple[datetime, str]:
    """The newest last, whatever order they came in."""
    return evaluation.finished, evaluation.id


def task_order(task: Task) -> tuple[str, str, str]:
    """Tasks by name, then split."""
    return task.label, task.record.split, task.key


def tasks_of(evaluations: Sequence[Evaluation]) -> dict[str, Task]:
    """Every task that was evaluated, by key, as it was stored last."""
    newest = {task_key(evaluation): evaluation.task for evaluation in sorted(evaluations, key=age)}
    names = [(record.name, record.split) for record in newest.values()]
    keys = sorted(newest, key=lambda key: (newest[key].name, newest[key].split, key))
    pages = unique(slug(f"{newest[key].name}-{newest[key].split}"[:60] + f"-{key[:8]}", 80) for key in keys)
    found: dict[str, Task] = {}
    for key, page in zip(keys, pages, strict=True):
        record = newest[key]
        alone = names.count((record.name, record.split)) == 1
        rule = " without self" if record.facts.get("exclude_self") else ""
        label = record.name if alone else f"{record.name} #{record.fingerprint[:6]}{rule}"
        found[key] = Task(key=key, record=record, label=label, page=f"tasks/{page}.html")
    return found


def methods_of(evaluations: Sequence[Evaluation]) -> dict[Key, Method]:
    """Every method that was evaluated, by key, as it was stored last."""
    newest = {method_key(evaluation): evaluation for evaluation in sorted(evaluations, key=age)}
    configurations = {key: options(found.config, found.checkpoints) for key, found in newest.items()}
    apart = labels(configurations)
    keys = sorted(newest)
    pages = unique(slug(f"{slug(name)}-{slug(digest)[:8]}", 80) for name, digest in keys)
    return {
        key: Method(
            key=key,
            record=newest[key].method,
            config=newest[key].config,
            options=configurations[key],
            apart=apart[key][1],
            page=f"methods/{page}.html",
        )
        for key, page in zip(keys, pages, strict=True)
    }

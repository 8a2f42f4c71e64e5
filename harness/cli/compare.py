"""`harness compare`: two stored methods on one task, query by query."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import format_option, show_json, show_table, store_option

if TYPE_CHECKING:
    from harness.store import Store
    from harness.store.records import Evaluation


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--task", required=True, metavar="NAME", help="Task that both were evaluated on.")
@click.option("--split", metavar="NAME", help="Split, if evaluations of several are stored.")
@click.option("--measure", "names", multiple=True, metavar="NAME", help="May be repeated; default: the task's own.")
@format_option
@store_option
def compare(a: str, b: str, task: str, split: str | None, names: Sequence[str], format: str, store: str | None) -> None:
    """Compare two methods: A and B are names of methods or ids of evaluations.

    All seeds of a method are averaged query by query before testing. The p values shown are adjusted over the measures
    by Holm's method; the interval is of A - B.
    """
    from harness.store import open_store

    opened = open_store(store)
    first, second = _find(opened, a, task, split), _find(opened, b, task, split)
    _check_same_task(first[0], second[0])
    report = {"task": task, "split": first[0].task.split, "a": _about(first), "b": _about(second)}
    report["measures"] = _comparisons(first, second, names or _measures(first[0], second[0]))
    if format == "json":
        show_json(report)
    else:
        _show(report)


def _find(store: "Store", name: str, task: str, split: str | None) -> "list[Evaluation]":
    """Finished evaluations that differ by their seed alone: those of a method, or the one with an id."""
    from harness.errors import StoreError

    found = store.evaluations(method=name, task=task, state="done")
    if not found and re.fullmatch("x?[0-9a-f]{4,16}", name):
        found = [store.evaluation(name)]
    found = [one for one in found if (one.state, one.task.name) == ("done", task) and split in (None, one.task.split)]
    if not found:
        on = task if split is None else f"{task} ({split})"
        raise StoreError(f"expected a finished evaluation of {name!r} on {on}, got none; see `harness results list`")
    kinds: dict[Any, str] = {}
    for one in found:
        checkpoints = tuple(sorted(one.checkpoints.items()))
        kinds[one.task.fingerprint, one.method.implementation, one.config_digest, checkpoints, one.suite] = one.id
    if len(kinds) > 1:
        ids = ", ".join(kinds.values())
        raise StoreError(f"{name!r} has evaluations that differ in more than their seed; name one by its id: {ids}")
    return found


def _check_same_task(a: "Evaluation", b: "Evaluation") -> None:
    from harness.errors import StoreError

    if a.task.fingerprint != b.task.fingerprint:
        raise StoreError(
            f"{a.id} and {b.id} were evaluated on different content ({a.task.split} {a.task.fingerprint[:12]}, "
            f"{b.task.split} {b.task.fingerprint[:12]}); expected one split of one task: evaluate them again"
        )


def _measures(a: "Evaluation", b: "Evaluation") -> list[str]:
    """The task's own measures, as far as both have them; else all that both have."""
    both = [name for name in a.per_query if name in b.per_query]
    return [name for name in a.task.facts.get("measures", ()) if name in both] or both


def _comparisons(a: "list[Evaluation]", b: "list[Evaluation]", names: Sequence[str]) -> dict[str, dict[str, Any]]:
    from harness.statistics.compare import compare as compare_values
    from harness.statistics.significance import holm

    found = {name: compare_values(_values(a, name), _values(b, name)) for name in dict.fromkeys(names)}
    randomisation = holm([one.p_randomisation for one in found.values()])
    t = holm([one.p_t for one in found.values()])
    return {
        name: asdict(one) | {"p_randomisation_holm": p_randomisation, "p_t_holm": p_t}
        for (name, one), p_randomisation, p_t in zip(found.items(), randomisation, t, strict=True)
    }


def _values(evaluations: "list[Evaluation]", name: str) -> Any:
    """The measure's values by query, averaged over seeds."""
    import numpy as np

    from harness.errors import ConfigError
    from harness.statistics.significance import average_seeds

    for one in evaluations:
        if name not in one.per_query:
            known = ", ".join(one.per_query)
            raise ConfigError(f"evaluation {one.id} has no measure {name!r}; expected one of {known}")
    return average_seeds([np.array(one.per_query[name]) for one in evaluations])


def _about(evaluations: "list[Evaluation]") -> dict[str, Any]:
    return {
        "method": evaluations[0].method.name,
        "config": evaluations[0].config,
        "evaluations": [one.id for one in evaluations],
        "seeds": [one.seed for one in evaluations],
    }


def _show(report: dict[str, Any]) -> None:
    for side in ("a", "b"):
        about = report[side]
        seeds = f"seed{'s' * (len(about['seeds']) > 1)} {', '.join(map(str, about['seeds']))}"
        click.echo(f"{side.upper()} = {about['method']} ({seeds}; {', '.join(about['evaluations'])})")
    values = report["measures"]
    queries = next(iter(values.values()))["queries"]
    click.echo(
        f"{report['task']} ({report['split']}), {queries} queries; p adjusted over {len(values)} measures (Holm)"
    )
    columns = ["measure", "A", "B", "A - B", "95 % interval", "p (randomisation)", "p (t)", "wins/ties/losses"]
    show_table(columns, [_row(name, one) for name, one in values.items()])


def _row(name: str, one: dict[str, Any]) -> list[str]:
    low, high = one["interval"]
    return [
        name,
        f"{one['mean_a']:.4f}",
        f"{one['mean_b']:.4f}",
        f"{one['difference']:+.4f}",
        f"{low:+.4f} … {high:+.4f}",
        f"{one['p_randomisation_holm']:.4f}",
        f"{one['p_t_holm']:.4f}",
        f"{one['wins']}/{one['ties']}/{one['losses']}",
    ]

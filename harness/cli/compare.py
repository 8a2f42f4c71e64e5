"""`harness compare`: stored methods on one task, query by query: two of them, or every two of several."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from harness.cli import compare_many
from harness.cli.options import format_option, show_json, show_table, store_option

if TYPE_CHECKING:
    from harness.store import Store
    from harness.store.records import Evaluation


@click.command()
@click.argument("names", nargs=-1, metavar="A B [C]...")
@click.option("--task", required=True, metavar="NAME", help="Task that all were evaluated on.")
@click.option("--split", metavar="NAME", help="Split, if evaluations of several are stored.")
@click.option("--measure", "measures", multiple=True, metavar="NAME", help="May be repeated; default: the task's own.")
@click.option(
    "--permutations", default=10_000, type=click.IntRange(1), help="Random patterns of the randomisation test."
)
@format_option
@store_option
def compare(
    names: Sequence[str],
    task: str,
    split: str | None,
    measures: Sequence[str],
    permutations: int,
    format: str,
    store: str | None,
) -> None:
    """Compare two methods, or every two of several: names of methods or ids of evaluations.

    All seeds of a method are averaged query by query before testing. The p values shown are adjusted by Holm's method,
    over the measures and, with more than two methods, over all pairs; the interval is of A - B.
    """
    from harness.errors import ConfigError
    from harness.store import open_store

    if len(names) < 2:
        raise ConfigError(f"expected two methods or more to compare, got {len(names)}: harness compare A B --task NAME")
    opened = open_store(store)
    found = [_find(opened, name, task, split) for name in names]
    for other in found[1:]:
        _check_same_task(found[0][0], other[0])
    asked = tuple(dict.fromkeys(measures)) or _measures([one[0] for one in found])
    report = {"task": task, "split": found[0][0].task.split} | _report(found, asked, permutations)
    if format == "json":
        show_json(report)
    elif len(found) > 2:
        compare_many.show(report)
    else:
        _show(report)


def _report(found: "list[list[Evaluation]]", measures: Sequence[str], permutations: int) -> dict[str, Any]:
    if len(found) > 2:
        values = {name: _rows(found, name) for name in measures}
        return {"methods": [_about(one) for one in found], "measures": compare_many.tested(values, permutations)}
    a, b = found
    return {"a": _about(a), "b": _about(b), "measures": _comparisons(a, b, measures, permutations)}


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


def _measures(found: "list[Evaluation]") -> list[str]:
    """The task's own measures, as far as all have them; else whatever all have."""
    from harness.errors import ConfigError

    first = found[0]
    shared = [name for name in first.per_query if all(name in one.per_query for one in found)]
    if not shared:
        raise ConfigError(f"{', '.join(one.id for one in found)} have no measure in common; score them by one first")
    return [name for name in first.task.facts.get("measures", ()) if name in shared] or shared


def _comparisons(
    a: "list[Evaluation]", b: "list[Evaluation]", names: Sequence[str], samples: int
) -> dict[str, dict[str, Any]]:
    from harness.statistics.compare import compare as compare_values
    from harness.statistics.significance import holm

    found = {name: compare_values(_values(a, name), _values(b, name), samples) for name in names}
    randomisation = holm([one.p_randomisation for one in found.values()])
    t = holm([one.p_t for one in found.values()])
    return {
        name: asdict(one) | {"p_randomisation_holm": p_randomisation, "p_t_holm": p_t}
        for (name, one), p_randomisation, p_t in zip(found.items(), randomisation, t, strict=True)
    }


def _rows(found: "list[list[Evaluation]]", name: str) -> Any:
    """The same of several methods, a row each."""
    import numpy as np

    return np.array([_values(one, name) for one in found])


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

"""`harness compare` with more than two methods: every two of them, p values adjusted over all pairs and measures."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from harness.cli.options import show_table


def tested(values: Mapping[str, Any], permutations: int) -> dict[str, dict[str, Any]]:
    """What is found for each measure.

    Args:
        values: a row a method and a column a query, by measure.
        permutations: random sign patterns of the randomisation test.
    """
    import numpy as np

    from harness.statistics.randomisation import randomisation_tests
    from harness.statistics.significance import holm_adjusted

    ps = {name: randomisation_tests(its, permutations) for name, its in values.items()}
    upper = {name: np.triu_indices(len(its), 1) for name, its in ps.items()}
    adjusted = holm_adjusted(np.concatenate([its[upper[name]] for name, its in ps.items()]))
    found: dict[str, dict[str, Any]] = {}
    for (name, its), part in zip(values.items(), np.split(adjusted, len(values)), strict=True):
        table = np.ones_like(ps[name])
        table[upper[name]] = table.T[upper[name]] = part
        means = [float(mean) for mean in np.mean(its, axis=1)]
        found[name] = {"means": means, "p_randomisation": ps[name].tolist(), "p_randomisation_holm": table.tolist()}
        found[name]["queries"] = its.shape[1]
    return found


def show(report: dict[str, Any]) -> None:
    """One table a measure: methods by mean, and the adjusted p of each with those above it."""
    names: Sequence[str] = [f"{one['method']} ({', '.join(one['evaluations'])})" for one in report["methods"]]
    for measure, found in report["measures"].items():
        tests = len(names) * (len(names) - 1) // 2 * len(report["measures"])
        click.echo(
            f"{measure}, {report['task']} ({report['split']}), {found['queries']} queries; "
            f"p of the randomisation test adjusted over {tests} tests (Holm)"
        )
        ranked = sorted(range(len(names)), key=lambda place: (-found["means"][place], names[place]))
        columns = ["", "method", "mean", *(f"p with {place + 1}" for place in range(len(ranked) - 1))]
        show_table(columns, [_row(ranked, place, names, found) for place in range(len(ranked))])


def _row(ranked: Sequence[int], place: int, names: Sequence[str], found: Mapping[str, Any]) -> list[str]:
    own = ranked[place]
    above = [f"{found['p_randomisation_holm'][own][other]:.4f}" for other in ranked[:place]]
    empty = [""] * (len(ranked) - 1 - len(above))
    return [str(place + 1), names[own], f"{found['means'][own]:.4f}", *above, *empty]

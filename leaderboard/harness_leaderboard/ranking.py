"""Who ranks where, and who can't be told apart."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64

from harness.statistics.significance import bootstrap_interval, holm, rank_groups, t_test
from harness_leaderboard.labels import Key
from harness_leaderboard.model import Result
from harness_leaderboard.sections import Standing

ALPHA = 0.05
"""Significance level of the rank groups."""

RESAMPLES = 2_000
"""Samples behind an interval: the standard error of its ends is then about 1.5 % of its width."""

PerQuery = Float64[np.ndarray, " queries"]


def rank(results: Sequence[Result]) -> list[Standing]:
    """The results of one task and section, each with its place, best first; what lacks the main measure is left out.

    Results without values by query have no interval and can't be tested: they get neither group nor p.
    """
    valued = [(value, result) for result in results if (value := result.value(result.task.main)) is not None]
    valued.sort(key=lambda pair: (-pair[0], pair[1].method.label, pair[1].method.key))
    names = [f"{place:06}" for place in range(len(valued))]
    per_query = {
        name: values
        for name, (_, result) in zip(names, valued, strict=True)
        if len(values := result.per_query(result.task.main))
    }
    groups, ps = _groups(per_query), _against_best(per_query)
    best = next(iter(per_query), "")
    return [
        Standing(
            result=result,
            value=value,
            interval=bootstrap_interval(per_query[name], resamples=RESAMPLES) if name in per_query else None,
            p=ps.get(name),
            group=groups.get(name),
            mark="" if len(per_query) < 2 or groups.get(name) != 1 else "best" if name == best else "tied",
        )
        for name, (value, result) in zip(names, valued, strict=True)
    ]


def groups_of_means(rows: Mapping[Key, Sequence[Result]]) -> dict[Key, int]:
    """Rank groups by the mean over tasks; methods without values by query on any of them get none."""
    keys = {f"{place:06}": key for place, key in enumerate(sorted(rows))}
    joined = {name: _joined(rows[key]) for name, key in keys.items()}
    groups = _groups({name: values for name, values in joined.items() if len(values)})
    return {keys[name]: group for name, group in groups.items()}


def _groups(per_query: Mapping[str, PerQuery]) -> dict[str, int]:
    groups = enumerate(rank_groups(per_query, ALPHA), 1)
    return {name: number for number, names in groups for name in names}


def _against_best(per_query: Mapping[str, PerQuery]) -> dict[str, float]:
    """Every p against the first, adjusted over all pairs, as the groups are: the two never contradict each other."""
    pairs = list(itertools.combinations(per_query, 2))
    adjusted = holm([t_test(per_query[a], per_query[b]) for a, b in pairs])
    best = next(iter(per_query), "")
    return {b: p for (a, b), p in zip(pairs, adjusted, strict=True) if a == best}


def _joined(results: Sequence[Result]) -> PerQuery:
    """All tasks' values by query, scaled so that their plain mean is the mean over tasks; empty if any are missing."""
    parts = [result.per_query(result.task.main) for result in results]
    if not all(len(part) for part in parts):
        return np.zeros(0)
    total = sum(map(len, parts))
    return np.concatenate([part * (total / (len(parts) * len(part))) for part in parts])

"""Who ranks where, and who can't be told apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from harness.statistics.pairs import Differences, adjusted, bootstrap_intervals, differences, joined, scaled
from harness.statistics.significance import EQUAL
from harness_leaderboard.labels import Key
from harness_leaderboard.model import Result, values_by_query
from harness_leaderboard.sections import Levels, Standing

ALPHA = 0.05
"""Significance level of the rank groups."""

RESAMPLES = 2_000
"""Samples behind an interval: the standard error of its ends is then about 1.5 % of its width."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Field:
    """The results of one task and section with their values by query: who is compared with whom."""

    valued: Sequence[tuple[float, Result]]
    """Mean of the main measure, and the result; best first, what lacks the measure is left out."""
    tested: Mapping[int, int]
    """Place in `valued` → row of `values`, for those that have values by query."""
    values: Float64[np.ndarray, "methods queries"]
    """Mean over seeds."""
    differences: Differences | None
    """Of every two rows; None if there is none."""


def field(results: Sequence[Result]) -> Field:
    """The results of one task and section, read and compared."""
    valued = [(value, result) for result in results if (value := result.value(result.task.main)) is not None]
    valued.sort(key=lambda pair: (-pair[0], pair[1].method.label, pair[1].method.key))
    read = values_by_query([result for _, result in valued])
    tested = [place for place, row in enumerate(read) if len(row)]
    values = np.array([read[place] for place in tested]) if tested else np.zeros((0, 0))
    return Field(
        valued=valued,
        tested={place: row for row, place in enumerate(tested)},
        values=values,
        differences=differences(values) if tested else None,
    )


def levels(found: Field) -> Levels | None:
    """What these methods reach on each query; None without values by query."""
    if not found.tested:
        return None
    mean, lowest, highest = (found.values.mean(axis=0), found.values.min(axis=0), found.values.max(axis=0))
    return Levels(methods=len(found.values), mean=mean, lowest=lowest, highest=highest)


def rank(results: Sequence[Result] | Field) -> list[Standing]:
    """The results of one task and section, each with its place, best first; what lacks the main measure is left out.

    Results without values by query have no interval and can't be tested: they get neither group nor p.
    """
    found = results if isinstance(results, Field) else field(results)
    if found.differences is None:
        return [_untested(value, result) for value, result in found.valued]
    ps, groups = adjusted(found.differences, ALPHA)
    ends = bootstrap_intervals(found.values, resamples=RESAMPLES).tolist()
    best, several = ps[0].tolist(), len(ps) > 1
    standings: list[Standing] = []
    for place, (value, result) in enumerate(found.valued):
        if (row := found.tested.get(place)) is None:
            standings.append(_untested(value, result))
            continue
        standings.append(
            Standing(
                result=result,
                value=value,
                interval=(ends[row][0], ends[row][1]),
                p=best[row] if row else None,
                group=int(groups[row]),
                mark="" if not several or groups[row] != 1 else "tied" if row else "best",
            )
        )
    return standings


def _untested(value: float, result: Result) -> Standing:
    return Standing(result=result, value=value, interval=None, p=None, group=None, mark="")


class Means:
    """Methods compared by their mean over tasks, one task after the other, so that one at a time has to be held."""

    def __init__(self, complete: Iterable[Key], queries: Sequence[int]) -> None:
        """Of the methods that have every task, and the tasks' numbers of queries."""
        self._keys = sorted(complete)
        self._places = {key: place for place, key in enumerate(self._keys)}
        self._tested = np.ones(len(self._keys), bool)
        self._means = np.zeros(len(self._keys))
        self._queries = queries
        self._found: Differences | None = None

    def add(self, found: Field) -> None:
        """A task. Its values are scaled so that their plain mean over all tasks' queries is the mean over tasks."""
        places = {self._places.get(found.valued[place][1].method.key): row for place, row in found.tested.items()}
        rows = {place: row for place, row in places.items() if place is not None}
        lacking = [place for place in range(len(self._keys)) if place not in rows]
        self._tested[lacking] = False
        if found.differences is None:
            return
        order = [rows.get(place, 0) for place in range(len(self._keys))]
        self._means += found.values.mean(axis=1)[order] / len(self._queries)
        part = Differences(
            queries=found.differences.queries,
            mean=found.differences.mean[np.ix_(order, order)],
            squares=found.differences.squares[np.ix_(order, order)],
        )
        part = scaled(part, sum(self._queries) / (len(self._queries) * part.queries))
        self._found = part if self._found is None else joined(self._found, part)

    def groups(self) -> dict[Key, int]:
        """Rank groups; methods without values by query on any task get none."""
        if self._found is None:
            return {}
        order = [place for place in np.argsort(-self._means, kind="stable") if self._tested[place]]
        square = np.ix_(order, order)
        ranked = Differences(
            queries=self._found.queries, mean=self._found.mean[square], squares=self._found.squares[square]
        )
        groups = adjusted(ranked, ALPHA).groups.tolist()
        return {self._keys[place]: group for place, group in zip(order, groups, strict=True)}


def shares_beaten(standings: Sequence[Standing]) -> dict[Key, float]:
    """Of the other methods of a task, how many each beats; one that is as good counts half. Empty for a lone method."""
    values = np.array([standing.value for standing in standings])
    ordered = np.sort(values)
    lower, upper = np.searchsorted(ordered, values - EQUAL), np.searchsorted(ordered, values + EQUAL, "right")
    if len(values) < 2:
        return {}
    shares = (lower + (upper - lower - 1) / 2) / (len(values) - 1)
    return {standing.result.method.key: float(share) for standing, share in zip(standings, shares, strict=True)}

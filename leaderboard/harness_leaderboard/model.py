"""Evaluations grouped: tasks, methods, and the results of a method on a task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import numpy as np
from jaxtyping import Float64

from harness.store.records import Evaluation, MethodRecord, TaskRecord
from harness.store.values import arrays
from harness_leaderboard.labels import Key

PerQuery = Float64[np.ndarray, " queries"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One split with one content: a column of the overview."""

    key: str
    """Identifies it on the board."""
    record: TaskRecord
    """As it was stored."""
    label: str
    """Name, with the start of the fingerprint where two contents share a name."""
    page: str
    """File of its page."""

    @property
    def main(self) -> str:
        """The measure that ranks."""
        return next(iter(self.record.facts.get("measures") or ("nDCG@10",)))


@dataclass(frozen=True, kw_only=True)
class Method:
    """One configuration of one plugin: a row of the overview."""

    key: Key
    """Plugin name and digest of the configuration."""
    record: MethodRecord
    """As it was stored last."""
    config: Mapping[str, Any]
    """Its whole configuration."""
    options: Mapping[str, str]
    """Its configuration, flat, for show."""
    apart: str
    """The options that tell it from the plugin's other configurations."""
    page: str
    """File of its page."""

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.key[0]

    @property
    def label(self) -> str:
        """Name and what sets it apart."""
        return f"{self.name} {self.apart}".strip()


@dataclass(frozen=True, kw_only=True)
class Result:
    """A method on a task: one evaluation a seed, all of the same code and checkpoints."""

    method: Method
    """What ran."""
    task: Task
    """On what."""
    evaluations: tuple[Evaluation, ...]
    """By seed."""

    @property
    def devices(self) -> str:
        """Names of the devices it ran on."""
        return ", ".join(dict.fromkeys(evaluation.device for evaluation in self.evaluations))

    def value(self, measure: str) -> float | None:
        """Mean over seeds; None unless every seed has it."""
        values = self._each("measures", measure)
        return fmean(values) if values else None

    def spread(self, measure: str) -> float | None:
        """Sample standard deviation over seeds; None for a single one."""
        values = self._each("measures", measure)
        return stdev(values) if len(values) > 1 else None

    def cost(self, name: str) -> float | None:
        """Mean over seeds; None unless it was measured for every seed."""
        values = self._each("cost", name)
        return fmean(values) if values else None

    def per_query(self, measure: str) -> PerQuery:
        """Mean over seeds for each query; empty unless every seed has it. `values_by_query` reads many at once."""
        return _mean(self, arrays(self.evaluations, measure))

    def _each(self, what: str, name: str) -> list[Any]:
        found = [getattr(evaluation, what).get(name) for evaluation in self.evaluations]
        return [] if any(value is None for value in found) else found


def values_by_query(results: Sequence[Result]) -> list[PerQuery]:
    """Each result's values of its task's main measure, mean over seeds; empty unless every seed has it.

    One read of the store for all of them: ask for the results of a task together.
    """
    read: dict[str, PerQuery] = {}
    for main in dict.fromkeys(result.task.main for result in results):
        read |= arrays((one for result in results if result.task.main == main for one in result.evaluations), main)
    return [_mean(result, read) for result in results]


def _mean(result: Result, read: Mapping[str, PerQuery]) -> PerQuery:
    found = [read[one.id] for one in result.evaluations if one.id in read]
    if not found or len(found) < len(result.evaluations):
        return np.zeros(0)
    return found[0] if len(found) == 1 else np.mean(found, axis=0)

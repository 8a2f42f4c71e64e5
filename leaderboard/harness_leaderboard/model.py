"""Evaluations grouped: tasks, methods, and the results of a method on a task."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import numpy as np
from jaxtyping import Float64

from harness.store.records import Evaluation, MethodRecord, TaskRecord
from harness_leaderboard.labels import Key


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

    def per_query(self, measure: str) -> Float64[np.ndarray, " queries"]:
        """Mean over seeds for each query; empty unless every seed has it."""
        values = self._each("per_query", measure)
        return np.mean(np.array(values, dtype=np.float64), axis=0) if values else np.zeros(0)

    def _each(self, what: str, name: str) -> list[Any]:
        found = [getattr(evaluation, what).get(name) for evaluation in self.evaluations]
        return [] if any(value is None for value in found) else found

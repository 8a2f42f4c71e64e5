"""A closed suite's methods against its controls: the student trained on labels alone, and the teacher itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.statistics.significance import holm, randomisation_test
from harness_leaderboard.entries import Entry
from harness_leaderboard.labels import Key
from harness_leaderboard.model import Task
from harness_leaderboard.teaching import known_as, texts_in


def control_of(entry: Entry, everyone: Sequence[Entry]) -> Entry | None:
    """The control that the entry is held against: that of the same student, else the best; None without one."""
    controls = [other for other in everyone if other.role == "control"]
    same = [other for other in controls if other.training.get("student") == entry.training.get("student")]
    return _best(same or controls)


def ceiling_of(entry: Entry, everyone: Sequence[Entry]) -> Entry | None:
    """The ceiling of the entry: the best of the teachers that taught it, else the best; None without one."""
    ceilings = [other for other in everyone if other.role == "ceiling"]
    asked = set(texts_in([entry.training.get("teachers"), _config(entry).get("teacher")]))
    return _best([other for other in ceilings if _known_as(other) & asked] or ceilings)


def share_of_gap(entry: Entry, control: Entry | None, ceiling: Entry | None) -> float | None:
    """The part of the way from the control to the teacher that the method went; negative if it fell behind.

    None unless all three have a mean and the teacher's is above the control's.
    """
    means = [found.mean if found else None for found in (entry, control, ceiling)]
    own, low, high = means
    if own is None or low is None or high is None or not high > low:
        return None
    return (own - low) / (high - low)


def p_values(task: Task, everyone: Sequence[Entry]) -> Mapping[Key, float]:
    """Of the paired randomisation test against the control, seeds averaged for each query, adjusted after Holm.

    The family is the suite's methods that have every seed on this task; controls, ceilings and untrained students are
    what methods are compared with, and no candidates themselves.
    """
    tested: dict[Key, float] = {}
    for entry in everyone:
        control = control_of(entry, everyone)
        if entry.role != "method" or control is None:
            continue
        pair = [other.results[task.key] for other in (entry, control) if task.key in other.results]
        values = [result.per_query(task.main) for result in pair]
        if len(values) == 2 and all(len(part) for part in values):
            tested[entry.method.key] = randomisation_test(values[0], values[1])
    return dict(zip(tested, holm(list(tested.values())), strict=True))


def _known_as(ceiling: Entry) -> frozenset[str]:
    return known_as(ceiling.method.name, _config(ceiling), ceiling.training)


def _config(entry: Entry) -> Mapping[str, Any]:
    """The configuration of any of its evaluations; they share what is asked here."""
    return next((found.config for result in entry.results.values() for found in result.evaluations), {})


def _best(found: Sequence[Entry]) -> Entry | None:
    """The one of the highest mean; one without a mean only if there is no other."""
    return max(found, key=lambda entry: (entry.mean is not None, entry.mean or 0.0, entry.method.key), default=None)

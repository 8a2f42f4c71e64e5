"""What stands on a task's page: what it is, and who ranks where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness_leaderboard.model import Result, Task
from harness_leaderboard.sections import Board, Section, Standing


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The ranking of a task in one section."""

    section: Section
    """Where the methods are compared."""
    standings: Sequence[Standing]
    """Best first."""
    measures: Sequence[str]
    """The main measure and the others, as columns."""

    def position(self, value: float) -> float:
        """Where a value lies on the drawn axis, 0 to 100: from the lowest interval's begin to the highest one's end."""
        ends = [end for standing in self.standings for end in standing.interval or (standing.value,)]
        low, high = min(ends), max(ends)
        return round(100 * (value - low) / (high - low), 1) if high > low else 50.0


def measures_of(task: Task, results: Sequence[Result]) -> list[str]:
    """The measures that the results have: the task's own first, then the others by name."""
    found = {name for result in results for evaluation in result.evaluations for name in evaluation.measures}
    own = [name for name in task.record.facts.get("measures") or (task.main,) if name in found]
    return own + sorted(found - set(own))


def content(board: Board, task: Task) -> dict[str, Any]:
    """What the template is filled with."""
    rankings: list[Ranking] = []
    for section in board.sections:
        if standings := section.ranking(task):
            measures = measures_of(task, [standing.result for standing in standings])
            rankings.append(Ranking(section=section, standings=standings, measures=measures))
    return {"task": task, "facts": task.record.facts, "rankings": rankings}

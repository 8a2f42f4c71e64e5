"""What stands on a task's page: what it is, and who ranks where."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness_leaderboard.charts import Picture
from harness_leaderboard.cost_charts import of_task
from harness_leaderboard.difficulty import Difficulty, difficulty
from harness_leaderboard.json_files import File
from harness_leaderboard.model import Result, Task
from harness_leaderboard.options import Options
from harness_leaderboard.published import stem
from harness_leaderboard.render import Renderer
from harness_leaderboard.sections import Board, Section, Standing
from harness_leaderboard.slices import Slice, slices

ROWS = 200
"""Most rows of a ranking on a page."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The ranking of a task in one section."""

    task: Task
    """The task."""
    section: Section
    """Where the methods are compared."""
    standings: Sequence[Standing]
    """Best first."""
    measures: Sequence[str]
    """The main measure and the others, as columns."""
    difficulty: Difficulty | None
    """Of the queries, for these methods."""
    costs: Sequence[tuple[str, Picture]]
    """Device, and quality against the time of a query on it; none where there is nothing to compare."""

    @cached_property
    def others(self) -> list[str]:
        """Measures beside the main one."""
        return [name for name in self.measures if name != self.task.main]

    @property
    def parts(self) -> list[Slice[Standing]]:
        """The standings, a page each."""
        anchor, page = self.section.anchor, self.task.page
        return slices(self.standings, ROWS, f"{page}#{anchor}", f"tasks/{stem(page)}/{anchor}-#.html")

    @cached_property
    def ends(self) -> tuple[float, float]:
        """Of the drawn axis: the lowest interval's begin and the highest one's end."""
        ends = [end for standing in self.standings for end in standing.interval or (standing.value,)]
        return min(ends), max(ends)

    def position(self, value: float) -> float:
        """Where a value lies on the drawn axis, 0 to 100."""
        low, high = self.ends
        return round(100 * (value - low) / (high - low), 1) if high > low else 50.0


def measures_of(task: Task, results: Sequence[Result], options: Options) -> list[str]:
    """The measures that the results have and the options show: the task's own first, then the others by name."""
    found = {name for result in results for evaluation in result.evaluations for name in evaluation.measures}
    own = [name for name in task.record.facts.get("measures") or (task.main,) if name in found]
    measures = own + sorted(found - set(own))
    return [name for name in measures if not options.measures or name in (task.main, *options.measures)]


def files(board: Board, render: Renderer) -> Iterator[File]:
    """The page of each task, and further ones of long rankings."""
    for task in board.tasks:
        told = content(board, task, render)
        yield render(task.page, "task", **told)
        for ranking in told["rankings"]:
            for part in ranking.parts[1:]:
                yield render(part.page, "ranking_further", task=task, ranking=ranking, part=part)


def content(board: Board, task: Task, render: Renderer) -> dict[str, Any]:
    """What the template is filled with."""
    rankings: list[Ranking] = []
    for section in board.sections:
        if standings := section.ranking(task):
            rankings.append(
                Ranking(
                    task=task,
                    section=section,
                    standings=standings,
                    measures=measures_of(task, [standing.result for standing in standings], render.options),
                    difficulty=difficulty(task, section.levels.get(task.key), render.options.texts),
                    costs=_costs(section, task, render),
                )
            )
    return {"task": task, "facts": task.record.facts, "rankings": rankings}


def _costs(section: Section, task: Task, render: Renderer) -> list[tuple[str, Picture]]:
    arenas = [arena for arena in render.arenas if arena.section is section]
    return [(arena.setting.label, drawn) for arena in arenas if (drawn := of_task(arena, task))]

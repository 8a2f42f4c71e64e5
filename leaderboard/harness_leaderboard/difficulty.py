"""How hard the queries of a task are: the mean over methods of each, its distribution, and both its ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import altair as alt
import numpy as np
from jaxtyping import Float64

from harness_leaderboard import numbers
from harness_leaderboard.charts import GROUND, MARK, Picture, base, foreign, picture, specification
from harness_leaderboard.model import Task
from harness_leaderboard.sections import Levels

ENDS = 10
"""So many of the hardest and easiest queries are listed."""
BINS = 20
"""Of the distribution."""
LONGEST = 240
"""Characters of a query's text that are shown."""

Means = Float64[np.ndarray, " queries"]


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query with what methods reach on it."""

    id: str
    """Its id."""
    text: str
    """Its text; empty if it is not known or not published."""
    mean: float
    """Of the main measure over methods."""
    lowest: float
    """Of any method."""
    highest: float
    """Of any method."""


@dataclass(frozen=True, kw_only=True)
class Difficulty:
    """Of the queries of one task for the methods of one section."""

    methods: int
    """How many methods the means are over."""
    picture: Picture
    """The distribution."""
    hardest: Sequence[Query]
    """From the hardest."""
    easiest: Sequence[Query]
    """From the easiest; none of the hardest among them."""
    lost: int
    """Queries on which every method has 0."""


def difficulty(task: Task, levels: Levels | None, texts: bool) -> Difficulty | None:
    """How hard the task's queries are; None without values by query.

    Args:
        task: the task.
        levels: what the methods that count reach on each query.
        texts: whether texts of queries may be shown.
    """
    if levels is None or not task.record.query_ids:
        return None
    means = levels.mean
    order = sorted(range(len(means)), key=lambda place: (round(float(means[place]), 9), place))
    hardest, easiest = order[:ENDS], order[: ENDS - 1 : -1][:ENDS] if len(order) > ENDS else []
    lost = int(((levels.lowest == 0) & (levels.highest == 0)).sum())
    return Difficulty(
        methods=levels.methods,
        picture=_picture(task, means, levels.methods, lost),
        hardest=[_query(task, levels, place, texts) for place in hardest],
        easiest=[_query(task, levels, place, texts) for place in easiest],
        lost=lost,
    )


def _query(task: Task, levels: Levels, place: int, texts: bool) -> Query:
    text = task.record.query_texts[place] if texts and place < len(task.record.query_texts) else ""
    text = " ".join(text.split())
    return Query(
        id=task.record.query_ids[place],
        text=text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…",
        mean=float(levels.mean[place]),
        lowest=float(levels.lowest[place]),
        highest=float(levels.highest[place]),
    )


def _picture(task: Task, means: Means, methods: int, lost: int) -> Picture:
    low, high = min(0.0, float(means.min())), max(1.0, float(means.max()))
    counts, edges = np.histogram(means, BINS, (low, high))
    rows = [
        {"a": round(float(start), 4), "b": round(float(end), 4), "n": int(count)}
        for start, end, count in zip(edges, edges[1:], counts, strict=False)
    ]
    over = f"mean over {methods} methods" if methods > 1 else "of the one method"
    spec = _spec(foreign(f"{task.main} of a query, {over}"), low, high)
    return picture(spec, rows, foreign(_told(task, means, over, lost)))


@cache
def _spec(title: str, low: float, high: float) -> Mapping[str, Any]:
    """Bars over this range."""
    across = alt.X("a:Q").title(title).scale(domain=[low, high], nice=False).axis(format=".1~f", grid=False)
    up = alt.Y("n:Q").title("queries").axis(format="d", tickMinStep=1)
    tooltip = [
        alt.Tooltip("a:Q").title("from").format(".2f"),
        alt.Tooltip("b:Q").title("to").format(".2f"),
        alt.Tooltip("n:Q").title("queries"),
    ]
    bars = base().mark_rect(fill=MARK, stroke=GROUND, strokeWidth=1)
    return specification(bars.encode(x=across, x2="b:Q", y=up, y2=alt.datum(0), tooltip=tooltip))


def _told(task: Task, means: Means, over: str, lost: int) -> str:
    count = f"{lost:,} {'is' if lost == 1 else 'are'}"
    lower, middle, upper = (numbers.measure(float(value)) for value in np.percentile(means, [25, 50, 75]))
    return (
        f"{task.main} of each of {len(means):,} queries, {over}: a quarter below {lower}, half below {middle}, "
        f"a quarter above {upper}; {count} 0 with every method."
    )

"""Quality against one cost, drawn: the front as a staircase of numbered diamonds, all others as rings."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal

import altair as alt

from harness_leaderboard import numbers
from harness_leaderboard.charts import (
    GROUND,
    HEIGHT,
    INK,
    MARK,
    SOFT,
    WIDTH,
    Picture,
    base,
    foreign,
    picture,
    specification,
)
from harness_leaderboard.contenders import offers as offers_of
from harness_leaderboard.costs import Arena, Plane
from harness_leaderboard.model import Method, Task
from harness_leaderboard.pareto import Offer, front

LATENCY = "query_p50_ms"
"""What a task's page holds quality against."""
WIDE = 4.0
"""From this ratio of the highest to the lowest cost on, an axis is logarithmic."""
NAMED = 6
"""Most methods of a front that are named in words; the table has all."""
BEST = "datum.s !== null"
"""Whether a point is on the front."""
NEAR = (18, 13)
"""Numbers of points that are closer than this, across and up in pixels, would be printed over each other."""

Scale = Literal["log", "sqrt", "linear"]
SCALES: Mapping[Scale, Callable[[float], float]] = {"log": math.log, "sqrt": math.sqrt, "linear": float}
"""What a scale does to a cost."""


def of_plane(arena: Arena, plane: Plane) -> Picture:
    """The mean over the section's tasks against a cost."""
    measures = ", ".join(dict.fromkeys(task.main for task in arena.section.tasks))
    count = len(arena.section.tasks)
    quality = f"{measures}, mean of {count} tasks" if count > 1 else measures
    return drawn(plane.offers, arena.methods, plane.cost, foreign(quality))


def of_task(arena: Arena, task: Task) -> Picture | None:
    """A task's main measure against the time of a query; None if there is nothing to see."""
    plane = Plane(cost=LATENCY, offers=offers_of(arena.contenders, LATENCY, task.key))
    return None if plane.flat else drawn(plane.offers, arena.methods, LATENCY, foreign(task.main))


def drawn(offers: Mapping[str, Offer], methods: Mapping[str, Method], cost: str, quality: str) -> Picture:
    """These offers.

    Args:
        offers: by the method's page.
        methods: by page.
        cost: name of the cost.
        quality: what quality is, in words.
    """
    best = front(offers)
    scale = scale_of([offer.cost for offer in offers.values()])
    signs = dict(zip(best, signs_of([offers[page] for page in best], list(offers.values()), scale), strict=True))
    rows = [
        {
            "m": foreign(methods[page].label),
            "q": offer.quality,
            "c": offer.cost / numbers.cost_scale(cost)[0],
            "p": f"on the front, {best.index(page) + 1}" if page in signs else "dominated",
            "s": signs.get(page),
        }
        for page, offer in sorted(offers.items(), key=lambda item: item[0] in signs)  # the front on top
    ]
    told = _told([(methods[page], offers[page]) for page in best], len(offers), cost, quality)
    return picture(_spec(scale, _head(cost), quality), rows, told)


def scale_of(costs: Sequence[float]) -> Scale:
    """Logarithmic where costs differ much; one that reaches 0 can't be, and is drawn by its root."""
    low, high = min(costs), max(costs)
    if low <= 0:
        return "sqrt"
    return "log" if high >= WIDE * low else "linear"


def signs_of(best: Sequence[Offer], offers: Sequence[Offer], scale: Scale) -> list[str]:
    """What is printed at each point of the front: its number, or nothing where the next point prints both."""
    costs, qualities = [SCALES[scale](offer.cost) for offer in offers], [offer.quality for offer in offers]
    across = WIDTH / (max(costs) - min(costs) or 1)
    up = HEIGHT / (max(qualities) - min(qualities) or 1)
    signs: list[str] = []
    first = 0
    for number, offer in enumerate(best):
        if number + 1 < len(best):
            wide = across * (SCALES[scale](best[number + 1].cost) - SCALES[scale](offer.cost))
            if wide < NEAR[0] and up * (best[number + 1].quality - offer.quality) < NEAR[1]:
                signs.append("")
                continue
        signs.append(f"{number + 1}" if first == number else f"{first + 1}–{number + 1}")
        first = number + 1
    return signs


def _head(cost: str) -> str:
    name, unit = numbers.cost_head(cost)
    return f"{name} ({unit})" if unit else name


@cache
def _spec(scale: Scale, title: str, quality: str) -> Mapping[str, Any]:
    zero: dict[str, Any] = {} if scale == "log" else {"zero": False}
    across = alt.X("c:Q").title(title).scale(type=scale, nice=False, padding=16, **zero)
    across = across.axis(format=",.3~f", grid=False, labelOverlap="greedy")
    up = alt.Y("q:Q").title(quality).scale(zero=False, padding=14).axis(format=".3~f")
    tooltip = [
        alt.Tooltip("m:N").title("method"),
        alt.Tooltip("q:Q").title(quality).format(".4f"),
        alt.Tooltip("c:Q").title(title).format(",.4~f"),
        alt.Tooltip("p:N").title("place"),
    ]
    drawing = base().encode(x=across, y=up)
    best = drawing.transform_filter(BEST)
    steps = best.mark_line(interpolate="step-after", color=MARK, strokeWidth=1.5)
    points = drawing.mark_point(filled=True, strokeWidth=1.4, opacity=1)
    signs = best.mark_text(align="right", baseline="bottom", dx=-5, dy=-5, fontSize=11, color=INK)
    looks = {"shape": ("diamond", "circle"), "size": (110, 34), "fill": (MARK, GROUND), "stroke": (MARK, SOFT)}
    chosen = {name: alt.condition(BEST, alt.value(yes), alt.value(no)) for name, (yes, no) in looks.items()}
    return specification(
        alt.layer(steps.encode(order="c:Q"), points.encode(tooltip=tooltip, **chosen), signs.encode(text="s:N"))
    )


def _told(best: Sequence[tuple[Method, Offer]], total: int, cost: str, quality: str) -> str:
    name, unit = numbers.cost_head(cost)
    named = [
        f"{number} {foreign(method.label)} ({numbers.measure(offer.quality)} at {numbers.cost(cost, offer.cost)}"
        f"{f' {unit}' if unit else ''})"
        for number, (method, offer) in enumerate(best[:NAMED], 1)
    ]
    more = f" and {len(best) - NAMED} more" if len(best) > NAMED else ""
    return (
        f"{quality}, against {name}: {total:,} methods. On the front, from the cheapest: {', '.join(named)}{more}; "
        f"{total - len(best):,} dominated."
    )

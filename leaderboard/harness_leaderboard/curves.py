"""Loss curves as drawings: one chart a stage, each seed thin and their mean on top, few enough points for a page.

Drawn by hand, not by `charts`: there are thousands on a large board, and Vega takes 40 ms for each (decision 12).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from harness_leaderboard.lessons import Lesson, number

POINTS = 200
"""Most points of a line; each is then the mean of as many steps as it takes."""

WIDTH, HEIGHT = 300, 150
"""Of the drawn area, in the drawing's own units."""

Losses = Float64[np.ndarray, " steps"]


class Tick(NamedTuple):
    """A number on an axis."""

    at: float
    """Where, along the axis."""
    text: str
    """The number."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The loss of one stage over its optimiser steps."""

    stage: str
    """Name of the stage."""
    told: str
    """What the drawing shows, in words and numbers."""
    thinned: int
    """How many steps a point is the mean of."""
    mean: str
    """Path of the mean over seeds."""
    each: Sequence[str]
    """Path of each seed; none if there is only one."""
    steps: Sequence[Tick]
    """Along the bottom, from the left."""
    losses: Sequence[Tick]
    """Along the left, from the top."""


def charts(lessons: Sequence[Lesson]) -> list[Chart]:
    """One chart for each stage that any of these trainings has a curve of, in the order they were stored."""
    curves = [_curves(lesson.training.get("curves")) for lesson in lessons]
    stages = dict.fromkeys(stage for found in curves for stage in found)
    return [_chart(stage, [found[stage] for found in curves if stage in found]) for stage in stages]


def thin(losses: Losses, size: int) -> Losses:
    """Means of `size` steps at a time; the last of what is left."""
    starts = np.arange(0, len(losses), size)
    return np.add.reduceat(losses, starts) / np.diff(np.append(starts, len(losses)))


def _curves(stored: Any) -> dict[str, Losses]:
    """The curves that are lists of numbers; a training is foreign and may hold anything."""
    found: dict[str, Losses] = {}
    for stage, values in stored.items() if isinstance(stored, Mapping) else ():
        numbers = [number(value) for value in values] if isinstance(values, list) else []
        known = [value for value in numbers if value is not None]
        if known and len(known) == len(numbers):
            found[str(stage)] = np.array(known)
    return found


def _chart(stage: str, curves: Sequence[Losses]) -> Chart:
    common, longest = min(map(len, curves)), max(map(len, curves))
    mean = np.mean([curve[:common] for curve in curves], axis=0)
    size = -(-longest // POINTS)
    lines = [thin(curve, size) for curve in (mean, *(curves if len(curves) > 1 else ()))]
    low, high = min(float(line.min()) for line in lines), max(float(line.max()) for line in lines)
    paths = [_path(line, size, longest, (low, high)) for line in lines]
    return Chart(
        stage=stage,
        told=_told(mean, len(curves)),
        thinned=size,
        mean=paths[0],
        each=paths[1:],
        steps=[Tick(_across(step, longest), f"{step:,}") for step in sorted({1, (longest + 1) // 2, longest})],
        losses=[Tick(_down(loss, low, high), f"{loss:.4g}") for loss in sorted({high, (low + high) / 2, low})[::-1]],
    )


def _told(mean: Losses, seeds: int) -> str:
    at = int(mean.argmin())
    of = "one seed" if seeds == 1 else f"mean of {seeds} seeds"
    return (
        f"first {mean[0]:.4g}, last {mean[-1]:.4g}, lowest {mean[at]:.4g} at step {at + 1:,}; "
        f"{len(mean):,} {'step' if len(mean) == 1 else 'steps'}, {of}"
    )


def _path(line: Losses, size: int, longest: int, ends: tuple[float, float]) -> str:
    """The line, each point in the middle of the steps that it stands for."""
    steps = [min(start * size + (size + 1) / 2, longest) for start in range(len(line))]
    points = [f"{_across(step, longest)} {_down(float(loss), *ends)}" for step, loss in zip(steps, line, strict=True)]
    return f"M{'L'.join(points)}" if len(points) > 1 else f"M{points[0]}h1"


def _across(step: float, longest: int) -> float:
    return round(WIDTH * (step - 1) / max(longest - 1, 1), 1)


def _down(loss: float, low: float, high: float) -> float:
    return round(HEIGHT * (high - loss) / (high - low), 1) if high > low else HEIGHT / 2

"""docs/performance.md out of what the benchmarks found; no figure in it is typed by hand."""

import json
from collections.abc import Iterator
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any

from benchmarks.measure import FAST

HERE = Path(__file__).parent
RESULTS, GROWTH, PROFILES = (HERE / f"{name}.json" for name in ("results", "growth", "profiles"))
DOCS = HERE.parent / "docs"
PAGE, PLOT = DOCS / "performance.md", DOCS / "performance.svg"
HEAD = """# Performance

Made by `make bench`; the numbers are those of benchmarks/results.json. Each row is two things that were done in turn,
in one process or one process group, on one machine: the median over at least five pairs of how many times longer the
peer takes. Seconds are of a shared machine and say little on their own. The column `processor` has the widest
instructions that torch uses there; a processor that lacks a mode has no row of it.
"""
ABOUT_GROWTH = """Each point once, in a process of its own, without what is made ready for it; memory is what the
work takes beyond that, without pages of mapped files. The power is that of the size which the seconds grow with since
the point before: 1 is a straight line, below 1 what is the same at every size still counts.
"""


def write() -> None:
    """Write the page anew, from what is there."""
    results, growth, profiles = (_read(file) for file in (RESULTS, GROWTH, PROFILES))
    rows = results["rows"]
    measured = (HEAD, *_table(rows), "", *_unmeasured(rows), *_notes(rows))
    parts = [*measured, "", *_profiles(profiles), *_growth(growth), *_machines(results)]
    PAGE.write_text("\n".join(parts) + "\n")
    if growth:
        _plot(growth)


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text()) if file.exists() else {}


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| work | numbers | processor | ours, s | peer | peer, s | ratio | goal | met |"
    yield "|---|---|---|--:|---|--:|--:|--:|---|"
    for row in rows:
        sign = {None: "", True: "yes", False: "**no**"}[row["met"]]
        where = [row["work"], row["mode"], row["instructions"]]
        times = [_seconds(row["ours"]), row["peer_name"], _seconds(row["peer"]), f"{row['ratio']:.2f}"]
        yield "| " + " | ".join([*where, *times, _goal(row), sign]) + " |"


def _unmeasured(rows: list[dict[str, Any]]) -> Iterator[str]:
    """What no row speaks of since none of the processors had it."""
    seen = {row["benchmark"] for row in rows if row["mode"] != "fp32"}
    if missing := [f"{name} (goal ≥ {goal:g} ×)" for name, goal in FAST.items() if name not in seen]:
        why = "**Not measured**, for want of a processor that multiplies in bfloat16: the fast mode of"
        yield f"{why} {', '.join(missing)}."
        yield ""


def _goal(row: dict[str, Any]) -> str:
    if row["goal"] is None:
        return ""
    return f"≥ {row['goal']:g} ×" if row["goal_of"] == "ratio" else f"≤ {row['goal']:g} s"


def _seconds(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _notes(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "## What else was seen"
    yield ""
    for row in rows:
        seen = "; ".join(f"{name} {_shown(value)}" for name, value in row["found"].items())
        if said := ". ".join(part for part in (seen, row["note"]) if part):
            yield f"- {row['work']} ({row['mode']}, {row['instructions']}, {row['peer_name']}): {said}"


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _profiles(profiles: dict[str, Any]) -> Iterator[str]:
    if not profiles:
        return
    yield "## Where the time goes"
    for profile in profiles.values():
        runs: dict[str, dict[str, float]] = profile["runs"]
        totals = {when: sum(seconds.values()) for when, seconds in runs.items()}
        yield f"\n### {profile['title']}\n"
        yield "| part | " + " | ".join(f"{when}, s | share" for when in runs) + " |"
        yield "|---|" + "--:|--:|" * len(runs)
        for part in next(iter(runs.values())):
            cells = [f"{_seconds(runs[when][part])} | {runs[when][part] / total:.0%}" for when, total in totals.items()]
            yield f"| {part} | " + " | ".join(cells) + " |"
        yield "| whole | " + " | ".join(f"{_seconds(total)} | " for total in totals.values()) + " |"
    yield ""


def _growth(growth: dict[str, Any]) -> Iterator[str]:
    if not growth:
        return
    yield "## How cost grows\n"
    yield ABOUT_GROWTH
    yield "![Seconds and memory against size](performance.svg)\n"
    yield "| what | size | s | power | MB |"
    yield "|---|--:|--:|--:|--:|"
    for curve in growth.values():
        for point, power in zip(curve["points"], ["", *map(_power, pairwise(curve["points"]))], strict=True):
            size = f"{point['size']:,} {curve['of']}"
            yield f"| {curve['title']} | {size} | {_seconds(point['seconds'])} | {power} | {point['megabytes']:.0f} |"
    yield ""
    for curve in growth.values():
        if curve["why"]:
            yield f"- {curve['title']}: {curve['why']}"
    yield ""


def _power(points: tuple[dict[str, float], dict[str, float]]) -> str:
    before, after = points
    return f"{log(after['seconds'] / before['seconds']) / log(after['size'] / before['size']):.2f}"


def _plot(growth: dict[str, Any]) -> None:
    """Seconds above, memory below, a column for each curve."""
    import altair as alt

    columns: list[alt.Chart] = []
    for name, unit in (("seconds", "s"), ("megabytes", "MB")):
        charts = [_chart(curve, name, unit) for curve in growth.values()]
        columns.append(alt.hconcat(*charts))
    alt.vconcat(*columns).save(str(PLOT))


def _chart(curve: dict[str, Any], name: str, unit: str) -> Any:
    import altair as alt

    points = alt.Data(values=[{"size": point["size"], "value": point[name]} for point in curve["points"]])
    across = alt.X("size:Q", scale=alt.Scale(type="log"), title=curve["of"], axis=alt.Axis(format="~s"))
    up = alt.Y("value:Q", scale=alt.Scale(type="log"), title=unit)
    made = alt.Chart(points, title=alt.Title(curve["title"], fontSize=10), width=150, height=120)
    return made.mark_line(point=True).encode(x=across, y=up)


def _machines(results: dict[str, Any]) -> Iterator[str]:
    yield "## Where"
    yield ""
    for facts in results["machines"]:
        packages = ", ".join(f"{package} {version}" for package, version in facts["packages"].items())
        skipped = f" Skipped: {facts['skipped']}." if facts["skipped"] else ""
        place = f"{facts['processor']}, {facts['instructions']}, {facts['threads']} threads"
        yield f"- {facts['benchmark']}: {facts['when']}, {place}; {packages}.{skipped}"


if __name__ == "__main__":
    write()

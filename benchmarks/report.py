"""docs/performance.md out of what the benchmarks found; no figure in it is typed by hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
HEAD = """# Performance

Made by `make bench`; the numbers are those of benchmarks/results.json. Each row is two things that were done in turn, in
one process or one process group, on one machine: the median over at least five pairs of how many times longer the peer
takes. Seconds are of a shared machine and say little on their own.
"""


def write(results: dict[str, Any]) -> None:
    """Write the page anew."""
    rows = results["rows"]
    PAGE.write_text("\n".join([HEAD, *_table(rows), "", *_notes(rows), "", *_machines(results)]) + "\n")


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| work | numbers | ours, s | peer | peer, s | ratio | goal | met |"
    yield "|---|---|--:|---|--:|--:|--:|---|"
    for row in rows:
        sign = {None: "", True: "yes", False: "**no**"}[row["met"]]
        cells = [row["work"], row["mode"], _seconds(row["ours"]), row["peer_name"], _seconds(row["peer"])]
        yield "| " + " | ".join([*cells, f"{row['ratio']:.2f}", _goal(row), sign]) + " |"


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
            yield f"- {row['work']} ({row['mode']}, {row['peer_name']}): {said}"


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _machines(results: dict[str, Any]) -> Iterator[str]:
    yield "## Where"
    yield ""
    for name, facts in results["benchmarks"].items():
        machine = facts["machine"]
        packages = ", ".join(f"{package} {version}" for package, version in machine["packages"].items())
        skipped = f" Skipped: {facts['skipped']}." if facts["skipped"] else ""
        yield f"- {name}: {facts['when']}, {machine['processor']}, {machine['threads']} threads; {packages}.{skipped}"

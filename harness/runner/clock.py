"""Time and memory of the parts of an evaluation."""

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Costs:
    """What an evaluation has cost so far; only what was measured is there."""

    values: dict[str, float] = field(default_factory=dict[str, float])
    """Name with unit → value."""

    @contextmanager
    def timed(self, name: str) -> Generator[None]:
        """Add the wall-clock seconds of the block as `<name>_seconds`."""
        start = time.perf_counter()
        yield
        self.values[f"{name}_seconds"] = time.perf_counter() - start


SUMMED = (
    "index_seconds",
    "search_seconds",
    "train_seconds",
    "teacher_seconds",
    "query_p50_ms",
    "query_p95_ms",
    "index_bytes",
    "parameters",
)


def with_stages(own: Mapping[str, float], stages: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """What a method costs together with the first stages whose stored runs it started from.

    Amounts are summed, percentiles of single-query latency too: stage after stage, each at its percentile. The own part
    is kept as `own_…`; peak memory is the largest of any stage.

    Args:
        own: costs of the last stage.
        stages: costs of the first stages, each with its own first stages included.
    """
    if not stages:
        return dict(own)
    found = dict(own) | {f"own_{name}": own[name] for name in SUMMED if name in own}
    for name in SUMMED:
        if parts := [costs[name] for costs in (own, *stages) if name in costs]:
            found[name] = sum(parts)
    found["peak_memory_bytes"] = max(costs["peak_memory_bytes"] for costs in (own, *stages))
    return found


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

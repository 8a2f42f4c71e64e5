"""Time and memory of the parts of an evaluation."""

import time
from collections.abc import Generator
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


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

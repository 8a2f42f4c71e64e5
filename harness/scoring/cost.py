"""What a search costs: latency of single queries and peak memory."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from harness.errors import ScoreError

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_CLEAR_PEAK = "5"  # proc(5): reset the peak resident set size


def latency(seconds: Sequence[float] | Float64[np.ndarray, " queries"]) -> dict[str, float]:
    """Median and 95th percentile of the time of single queries, in milliseconds.

    Args:
        seconds: how long each query took.

    Raises:
        ScoreError: if there are none, or one is negative or not finite.
    """
    times = np.asarray(seconds, dtype=np.float64)
    if not times.size or not np.isfinite(times).all() or (times < 0).any():
        raise ScoreError(f"expected the seconds of at least one query, each 0 or above, got {times}")
    median, high = np.percentile(times, [50, 95]) * 1000
    return {"query_p50_ms": float(median), "query_p95_ms": float(high)}


def peak_memory_bytes() -> int:
    """Largest resident memory of this process, plus the largest memory allocated on CUDA devices if torch is loaded.

    Since the last `reset_peak_memory`, or since the process began where the system cannot reset it (not Linux).
    """
    return _resident_peak() + sum(torch.cuda.max_memory_allocated(device) for torch, device in _cuda_devices())


def reset_peak_memory() -> None:
    """Begin a new peak, as far as the system can."""
    with suppress(OSError):  # no such file, or not allowed: the peak stays that of the process
        _CLEAR.write_text(_CLEAR_PEAK)
    for torch, device in _cuda_devices():
        torch.cuda.reset_peak_memory_stats(device)


def _resident_peak() -> int:
    try:
        lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    except (OSError, KeyError):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _cuda_devices() -> list[tuple[Any, int]]:
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return []
    return [(torch, device) for device in range(torch.cuda.device_count())]

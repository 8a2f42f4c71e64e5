"""Latency and memory are measured, not guessed."""

import sys

import numpy as np
import pytest

from harness.errors import ScoreError
from harness.scoring.cost import latency, peak_memory_bytes, reset_peak_memory


def test_latency_by_hand() -> None:
    # 1 … 101 ms: the median is 51, the 95th percentile 96
    assert latency([ms / 1000 for ms in range(101, 0, -1)]) == pytest.approx({"query_p50_ms": 51, "query_p95_ms": 96})
    assert latency(np.array([0.002])) == {"query_p50_ms": 2.0, "query_p95_ms": 2.0}


@pytest.mark.parametrize("seconds", [[], [-1.0], [float("nan")]])
def test_latency_of_nothing_is_refused(seconds: list[float]) -> None:
    with pytest.raises(ScoreError):
        latency(seconds)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can begin a new peak")
def test_peak_memory_sees_what_was_freed_again_until_it_is_reset() -> None:
    reset_peak_memory()
    before = peak_memory_bytes()
    np.ones(20_000_000)  # 160 MB
    assert peak_memory_bytes() >= before + 150_000_000
    reset_peak_memory()
    assert peak_memory_bytes() < before + 50_000_000

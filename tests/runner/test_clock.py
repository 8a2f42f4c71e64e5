"""What a method costs together with its first stages."""

import pytest

from harness.runner.clock import Costs, folder_bytes, with_stages


def test_amounts_and_latencies_are_summed_and_the_own_part_is_kept():
    own = {"query_p50_ms": 1.0, "index_bytes": 0.0, "peak_memory_bytes": 5.0, "latency_queries": 50.0}
    bm25 = {"query_p50_ms": 2.0, "index_bytes": 10.0, "peak_memory_bytes": 7.0}
    dense = {"query_p50_ms": 4.0, "index_bytes": 20.0, "peak_memory_bytes": 6.0, "parameters": 100.0}
    assert with_stages(own, [bm25, dense]) == {
        "query_p50_ms": 7.0,
        "own_query_p50_ms": 1.0,
        "index_bytes": 30.0,
        "own_index_bytes": 0.0,
        "parameters": 100.0,
        "peak_memory_bytes": 7.0,
        "latency_queries": 50.0,
    }
    assert with_stages(own, []) == own


def test_seconds_and_bytes(tmp_path):
    costs = Costs()
    with costs.timed("index"):
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "file").write_bytes(b"12345")
    assert 0 < costs.values["index_seconds"] < 5
    assert folder_bytes(tmp_path) == 5
    with pytest.raises(KeyError), costs.timed("failed"):
        raise KeyError
    assert "failed_seconds" not in costs.values

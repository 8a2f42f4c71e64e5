"""What a device is measured to do, on a CPU without torch too."""

import os
import subprocess
import sys

import pytest

from harness.devices import calibrate
from harness.devices.calibration import _with_torch
from tests.conftest import PATIENCE


def test_cpu_needs_no_torch(tmp_path):
    """In a process of its own, where torch can't be imported."""
    code = """
import sys
sys.modules["torch"] = None
from harness import devices
from harness.errors import DeviceError
from harness.store import open_store
record = devices.require(open_store(), "cpu")
assert record.calibration["matmul_gflops"] > 0
assert [device.kind for device in devices.detect()] == ["cpu"]
try:
    devices.register(open_store(), "cuda:0", "lab")
except DeviceError as error:
    assert "pip install 'retrieval-harness[nn]'" in str(error)
else:
    raise AssertionError
print(record.name)
"""
    env = os.environ | {"HARNESS_HOME": str(tmp_path)}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout) == (0, "cpu\n"), done.stderr


def test_calibration_measures(monkeypatch):
    monkeypatch.setattr("harness.devices.calibration.SECONDS", 0.05)
    rates = calibrate("cpu")
    assert 0.1 < rates["matmul_gflops"] < 100_000
    assert 0.05 < rates["copy_gb_per_s"] < 5_000
    assert 0.1 < rates["seconds"] < 30


def test_calibration_by_torch_waits_for_the_device(monkeypatch):
    """On the CPU, which torch treats as it does a GPU; the device is waited for after each repetition."""
    pytest.importorskip("torch")
    monkeypatch.setattr("harness.devices.calibration.SECONDS", 0.02)
    monkeypatch.setattr("harness.devices.calibration.ACCELERATOR_SIZE", 128)
    monkeypatch.setattr("harness.devices.calibration.ACCELERATOR_BYTES", 2**20)
    waited = []
    rates = _with_torch("cpu", lambda: waited.append(1))
    assert rates["matmul_gflops"] > 0
    assert rates["copy_gb_per_s"] > 0
    assert len(waited) >= 5


def test_rates_are_operations_and_bytes_by_the_quickest_repetition():
    """2 · 1000³ operations in 0.5 s are 4 GFLOP/s; 3 · 10⁹ bytes in 1.5 s are 2 GB/s."""
    from harness.devices.calibration import _rates

    assert _rates(1000, 0.5, 3 * 10**9, 1.5) == {"matmul_gflops": 4.0, "copy_gb_per_s": 2.0}

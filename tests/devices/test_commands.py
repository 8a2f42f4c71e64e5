"""`harness devices`."""

import json

import pytest
from click.testing import CliRunner

from harness import devices
from harness.cli.devices import devices as commands
from harness.errors import DeviceError, StoreError
from harness.store import open_store
from tests.devices.conftest import RATES, gpu


def call(*words: str, status: int = 0) -> str:
    result = CliRunner().invoke(commands, words, catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def test_commands(plug):
    plug(gpu("aaaa"), gpu("bbbb"))
    assert "NVIDIA H200" in call("register", "cuda:0", "--name", "lab")
    rows = json.loads(call("list", "--format", "json"))
    assert [(row["name"], row["state"], row["torch_name"]) for row in rows] == [
        ("lab", "present", "cuda:0"), (None, "unregistered", "cuda:1"), (None, "unregistered", "cpu"),
    ]  # fmt: skip
    assert rows[0]["calibration"] == RATES
    plug()
    assert ["lab", "absent"] in [line.split()[:2] for line in call("list").splitlines()]
    assert "lab removed" in call("remove", "lab")
    with pytest.raises(StoreError, match="lab"):
        call("remove", "lab")


def test_calibrate_again_unless_it_is_in_use(plug, monkeypatch):
    store = open_store()
    plug(gpu("aaaa"))
    record = devices.register(store, "cuda:0", "lab")
    monkeypatch.setattr("harness.devices.registered.calibrate", lambda torch_name: RATES | {"matmul_gflops": 7.0})
    with (
        devices.lease(store, devices.resource_of(record), "an evaluation"),
        pytest.raises(DeviceError, match="an eval"),
    ):
        call("calibrate", "lab")
    assert store.device("lab").calibration == RATES
    assert "7 GFLOP/s" in call("calibrate", "lab")
    assert store.device("lab").calibration["matmul_gflops"] == 7.0

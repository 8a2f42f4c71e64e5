"""Devices are known by what they are, not by where they are plugged in; torch's view of the machine is planted."""

from dataclasses import replace

import pytest

from harness import devices, hardware
from harness.devices import detect
from harness.errors import DeviceError, StoreError
from harness.store import open_store
from tests.devices.conftest import RATES, gpu


def test_cuda_devices_are_known_by_uuid(plug):
    plug(gpu("aaaa"), gpu("bbbb", name="NVIDIA A100"))
    first, second, cpu = detect()
    assert (first.torch_name, first.identity, first.memory_bytes, first.driver) == (
        "cuda:0", "GPU-aaaa", 150 * 10**9, "570.1",
    )  # fmt: skip
    assert (second.torch_name, second.model) == ("cuda:1", "NVIDIA A100")
    assert (cpu.kind, cpu.identity) == ("cpu", hardware.processor_name())
    assert detect("cpu") == [cpu]


def test_apple_gpu_is_known_by_its_processor_beside_the_cpu(plug, processor, monkeypatch):
    torch = pytest.importorskip("torch")
    plug()
    processor("Apple M9")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 2**34)
    store = open_store()
    mps, cpu = devices.register(store, "mps", "laptop"), devices.require(store, "cpu")
    assert (mps.identity, mps.memory_bytes) == (cpu.identity, 2**34) == ("Apple M9", 2**34)
    assert devices.require(store, "mps").name == "laptop"
    assert devices.require(store, "cpu").name == "cpu"


def test_registered_device_is_found_where_it_is_now(plug):
    store = open_store()
    plug(gpu("aaaa"), gpu("bbbb"))
    made = devices.register(store, "cuda:1", "lab-h200")
    assert (made.identity, made.calibration) == ("GPU-bbbb", RATES)
    assert devices.require(store, "lab-h200") == devices.require(store, "cuda:1") == made
    plug(gpu("bbbb"))
    assert devices.require(store, "lab-h200") == replace(made, torch_name="cuda:0")
    assert devices.require(store, "cuda").name == "lab-h200"


def test_unregistered_device_is_refused_with_the_command(plug):
    store = open_store()
    plug(gpu("aaaa"))
    with pytest.raises(DeviceError, match="harness devices register cuda:0 --name NAME"):
        devices.require(store, "cuda:0")
    with pytest.raises(DeviceError, match="harness devices register DEVICE --name lab-h200"):
        devices.require(store, "lab-h200")
    assert store.devices() == []


def test_another_device_in_its_place_is_refused(plug):
    store = open_store()
    plug(gpu("aaaa"))
    devices.register(store, "cuda:0", "lab-h200")
    plug(gpu("bbbb", name="NVIDIA A100"))
    with pytest.raises(DeviceError, match=r"GPU-aaaa.*cuda:0 \(GPU-bbbb"):
        devices.require(store, "lab-h200")
    with pytest.raises(DeviceError, match="harness devices register cuda:0"):
        devices.require(store, "cuda:0")
    plug()
    with pytest.raises(DeviceError, match="no cuda device"):
        devices.require(store, "lab-h200")


def test_device_that_is_not_here_is_refused(plug):
    plug(gpu("aaaa"))
    for name, word in (("cuda:1", "present: cuda:0, cpu"), ("mps", "present"), ("tpu", "cuda:0, mps or cpu")):
        with pytest.raises(DeviceError, match=word):
            devices.register(open_store(), name, "lab")


def test_names_are_unique_and_a_device_has_one(plug):
    store = open_store()
    plug(gpu("aaaa"), gpu("bbbb"))
    devices.register(store, "cuda:0", "lab")
    with pytest.raises(DeviceError, match="GPU-aaaa"):
        devices.register(store, "cuda:1", "lab")
    with pytest.raises(StoreError, match="lab"):
        devices.register(store, "cuda:0", "other")
    for name in ("", "two words", "../up", "cuda", "cuda:0", "cpu", "-x"):
        with pytest.raises(DeviceError):
            devices.register(store, "cuda:1", name)
    assert [device.name for device in store.devices()] == ["lab"]
    assert devices.register(store, "cuda:0", "lab").name == "lab", "the same again is calibrated anew"


def test_cpu_registers_itself_once(processor):
    store = open_store()
    processor("Processor A")
    made = devices.require(store, "cpu")
    assert (made.name, made.identity, made.calibration) == ("cpu", "Processor A", RATES)
    assert devices.require(store, "cpu") == made
    assert store.devices() == [made]


def test_cpu_of_another_machine_on_the_same_store_needs_a_name_of_its_own(processor):
    store = open_store()
    processor("Processor A")
    devices.require(store, "cpu")
    processor("Processor B")
    with pytest.raises(DeviceError, match="harness devices register cpu --name NAME"):
        devices.require(store, "cpu")
    devices.register(store, "cpu", "big-box")
    assert devices.require(store, "cpu").name == "big-box"


def test_cpus_of_machines_that_begin_at_the_same_time_get_names_of_their_own(processor, monkeypatch):
    store = open_store()
    processor("Processor A")

    def calibrate(_):
        """Meanwhile another machine is done with that."""
        processor("Processor B")
        devices.enlist(store, "cpu")
        processor("Processor A")
        return RATES

    monkeypatch.setattr("harness.devices.registered.calibrate", calibrate)
    name = devices.enlist(store, "cpu").name
    assert {record.name: record.identity for record in store.devices()} == {"cpu": "Processor B", name: "Processor A"}
    assert devices.enlist(store, "cpu").name == name


def test_two_commands_on_one_machine_register_its_cpu_once(processor, monkeypatch):
    store = open_store()
    processor("Processor A")
    listed = store.devices

    def devices_before_the_other_command():
        found = listed()
        monkeypatch.setattr(store, "devices", listed)
        devices.require(store, "cpu")
        return found

    monkeypatch.setattr(store, "devices", devices_before_the_other_command)
    assert devices.require(store, "cpu").name == "cpu"
    assert len(store.devices()) == 1


def test_devices_of_a_job_are_enlisted_together(plug):
    store = open_store()
    plug(gpu("aaaa"), gpu("bbbb"))
    both = devices.enlist(store, "cuda:0+cuda:1")
    assert both.torch_name == "cuda:0+cuda:1"
    assert sorted(both.name.split("+")) == [record.name for record in store.devices()]


def test_lease_on_a_cpu_is_this_machines_alone(plug):
    """Many machines have the processor; a GPU is one in the world."""
    store = open_store()
    plug(gpu("aaaa"))
    cpu, cuda = devices.require(store, "cpu"), devices.register(store, "cuda:0", "lab")
    assert devices.resource_of(cuda) == "device:lab"
    assert devices.resource_of(cpu).startswith("device:cpu@")


def test_devices_that_work_together_are_one_for_an_evaluation_and_leased_each(plug):
    plug(gpu("aaaa"), gpu("bbbb"), gpu("cccc", name="NVIDIA A100"))
    store = open_store()
    for number in range(3):
        devices.register(store, f"cuda:{number}", f"gpu-{number}")
    plug(gpu("bbbb"), gpu("aaaa"), gpu("cccc", name="NVIDIA A100"))  # they were plugged in elsewhere
    both = devices.require(store, "gpu-0+gpu-1")
    assert (both.name, both.torch_name, both.model) == ("gpu-0+gpu-1", "cuda:1+cuda:0", "NVIDIA H200")
    assert both.memory_bytes == 300 * 10**9
    one = devices.require(store, "gpu-1")
    with devices.hold(store, both, "me", wait=0) as mine:
        assert mine
        assert store.held(["device:gpu-0", "device:gpu-1", "device:gpu-2"]) == {"device:gpu-0", "device:gpu-1"}
        with devices.hold(store, one, "other", wait=0) as its:
            assert not its
    with devices.hold(store, one, "other", wait=0), devices.hold(store, both, "me", wait=0) as mine:
        assert not mine
    assert store.held(["device:gpu-0", "device:gpu-1"]) == set()
    for wrong, word in (("gpu-0+gpu-0", "twice"), ("gpu-0+gpu-2", "of one model"), ("gpu-0+lost", "registered as")):
        with pytest.raises(DeviceError, match=word):
            devices.require(store, wrong)
    with pytest.raises(DeviceError, match="one after the other"):
        devices.recalibrate(store, "gpu-0+gpu-1")

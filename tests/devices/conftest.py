"""A machine that has what a test plants."""

from types import SimpleNamespace

import pytest

from harness import hardware

RATES = {"matmul_gflops": 100.0, "copy_gb_per_s": 10.0, "seconds": 0.5}


def gpu(uuid: str, name: str = "NVIDIA H200", memory: int = 150 * 10**9) -> SimpleNamespace:
    """What torch.cuda.get_device_properties gives."""
    return SimpleNamespace(uuid=uuid, name=name, total_memory=memory)


@pytest.fixture
def plug(monkeypatch):
    """Makes torch see these GPUs."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(hardware, "nvidia_driver", lambda: "570.1")
    monkeypatch.setattr("harness.devices.detection.nvidia_driver", lambda: "570.1")
    monkeypatch.setattr("harness.devices.registered.calibrate", lambda torch_name: RATES)

    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    def plugged(*gpus: SimpleNamespace) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(gpus))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(gpus))
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: gpus[index])

    return plugged


@pytest.fixture
def processor(monkeypatch):
    """Makes the machine have this processor."""

    def put(name: str) -> None:
        monkeypatch.setattr("harness.devices.detection.processor_name", lambda: name)
        monkeypatch.setattr("harness.devices.registered.calibrate", lambda torch_name: RATES)

    return put

"""The devices of this machine, through torch; the CPU without it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from harness.errors import DeviceError
from harness.hardware import memory_bytes, nvidia_driver, processor_name

Kind = Literal["cuda", "mps", "cpu"]
TORCH_NAME = re.compile(r"(cpu|mps|cuda)(?::(\d+))?")


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device that is present; registered, it becomes a `harness.store.records.DeviceRecord`."""

    kind: Kind
    """The torch backend."""
    torch_name: str
    """What torch calls it here and now."""
    identity: str
    """UUID of a CUDA device, processor name of the others."""
    model: str
    """Product name."""
    memory_bytes: int
    """Its memory."""
    driver: str
    """Driver version, empty for a CPU."""


def detect(kind: Kind | None = None) -> list[Device]:
    """The devices present (of one kind): CUDA, MPS, CPU; asked for the CPU alone, torch is not imported."""
    finders: dict[Kind, Callable[[], list[Device]]] = {"cuda": _cuda, "mps": _mps, "cpu": _cpu}
    return [device for name, find in finders.items() if kind in (None, name) for device in find()]


def torch_name(text: str) -> tuple[Kind, str] | None:
    """Kind and full torch name of a text such as `cuda`, `cuda:1`, `mps`, `cpu`; None if it is no torch device name."""
    match = TORCH_NAME.fullmatch(text)
    if match is None:
        return None
    kind: Kind = match[1]  # type: ignore[assignment]  # by the expression
    return kind, f"cuda:{int(match[2] or 0)}" if kind == "cuda" else kind


def present(text: str) -> Device:
    """The device that torch calls so.

    Raises:
        DeviceError: if it is no torch device name, or no such device is here.
    """
    parsed = torch_name(text)
    if parsed is None:
        raise DeviceError(f"expected a torch device such as cuda:0, mps or cpu, got {text!r}")
    kind, name = parsed
    for device in detect(kind):
        if device.torch_name == name:
            return device
    hint = "" if _torch() else "; torch is not installed: pip install 'retrieval-harness[nn]'"
    raise DeviceError(f"there is no {name} here; present: {', '.join(d.torch_name for d in detect())}{hint}")


def _torch() -> Any:
    """The library, or None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    return torch


def _cuda() -> list[Device]:
    torch = _torch()
    if torch is None or not torch.cuda.is_available():
        return []
    return [_cuda_device(index, torch.cuda.get_device_properties(index)) for index in range(torch.cuda.device_count())]


def _cuda_device(index: int, properties: Any) -> Device:
    return Device(
        kind="cuda",
        torch_name=f"cuda:{index}",
        identity=f"GPU-{properties.uuid}",
        model=properties.name,
        memory_bytes=properties.total_memory,
        driver=nvidia_driver(),
    )


def _mps() -> list[Device]:
    torch = _torch()
    if torch is None or not torch.backends.mps.is_available():
        return []
    return [_of_processor("mps", int(torch.mps.recommended_max_memory()))]


def _cpu() -> list[Device]:
    return [_of_processor("cpu", memory_bytes())]


def _of_processor(kind: Kind, memory: int) -> Device:
    name = processor_name()
    return Device(kind=kind, torch_name=kind, identity=name, model=name, memory_bytes=memory, driver="")

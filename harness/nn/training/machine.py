"""Where a stage runs: the accelerator of its device, precision and processes."""

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from accelerate.utils import DistributedType, GradientAccumulationPlugin

from harness.errors import ConfigError, DeviceError

PRECISIONS = ("no", "bf16", "fp16")
"""Kinds of mixed precision."""
REPLICATED = (DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU)
"""Ways of spreading work with the whole model in every process."""


def accelerator(device: str, precision: str, accumulate: int) -> Accelerator:
    """A fresh accelerator, whatever others of this process were made for.

    Args:
        device: a torch device name; among several processes each takes the GPU of its own number.
        precision: one of `PRECISIONS`.
        accumulate: batches an optimiser step.

    Raises:
        ConfigError: a precision that is unknown or that the device lacks, or `accelerate launch` with a sharded model.
        DeviceError: the device is not here.
    """
    kind = torch.device(device)
    if precision not in PRECISIONS:
        raise ConfigError(f"precision {precision!r} is unknown; expected one of {', '.join(PRECISIONS)}")
    if precision == "fp16" and kind.type == "cpu":
        raise ConfigError("precision fp16 needs a GPU, got device cpu; use bf16, or no for fp32")
    _forget()
    if kind.type == "cuda" and ":" in device and torch.cuda.is_available():
        torch.cuda.set_device(kind)  # accelerate takes the current one
    plugin = GradientAccumulationPlugin(num_steps=accumulate, sync_with_dataloader=False)
    made = Accelerator(cpu=kind.type == "cpu", mixed_precision=precision, gradient_accumulation_plugin=plugin)
    if made.device.type != kind.type:
        raise DeviceError(f"device {device} is not here; accelerate offers {made.device}")
    if made.distributed_type not in REPLICATED:
        raise ConfigError(f"accelerate shards by {made.distributed_type.value}; expected whole models in all processes")
    return made


def _forget() -> None:
    """Accelerate keeps precision, device and accumulation for the whole process, and has no public way to change them.

    The process group, where there is one, stays.
    """
    AcceleratorState._reset_state(reset_partial_state=True)  # pyright: ignore[reportPrivateUsage]
    GradientState._reset_state()  # pyright: ignore[reportPrivateUsage]

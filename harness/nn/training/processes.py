"""What the processes of one training share: weights at the start, gradients at each step, and decisions.

The model is not wrapped for this: `DistributedDataParallel` hangs on its own forward pass, while a loss here may run
any part of the model, any number of times, or run it again afterwards from a gradient cache.
"""

import os
from collections.abc import Iterable

import torch
from accelerate import Accelerator
from torch import Tensor, distributed, nn


def processes() -> int:
    """How many train together, as `accelerate launch` says before there is an accelerator."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def share_weights(accelerator: Accelerator, model: nn.Module) -> None:
    """Give every process the main process's weights."""
    if accelerator.num_processes > 1:
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():  # others are constants
                distributed.broadcast(tensor.detach(), src=0)


def average_gradients(accelerator: Accelerator, model: nn.Module) -> None:
    """Replace each gradient by its mean over processes; one that is missing in some of them counts as 0 there."""
    if accelerator.num_processes == 1:
        return
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    present = torch.tensor([float(parameter.grad is not None) for parameter in learning], device=accelerator.device)
    distributed.all_reduce(present)
    for parameter, anywhere in zip(learning, present.tolist(), strict=True):
        if anywhere and parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [parameter.grad for parameter in learning if parameter.grad is not None]
    for dtype in sorted({gradient.dtype for gradient in gradients}, key=str):
        _average([gradient for gradient in gradients if gradient.dtype == dtype], accelerator.num_processes)


def _average(tensors: list[Tensor], processes: int) -> None:
    """In place, with one message."""
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.all_reduce(flat)
    flat /= processes
    for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def total(accelerator: Accelerator, values: Iterable[float]) -> list[float]:
    """The sums over processes, the same in each: what decisions must be taken by."""
    own = list(values)
    if accelerator.num_processes == 1:
        return own
    summed = torch.tensor(own, dtype=torch.float64, device=accelerator.device)
    distributed.all_reduce(summed)
    return summed.tolist()

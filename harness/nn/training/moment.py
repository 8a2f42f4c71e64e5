"""The state of torch at one moment, to compute the same again: random generators and autocast."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

KINDS = ("cpu", "cuda")
"""Kinds of devices whose autocast is kept."""


@dataclass(frozen=True)
class Moment:
    """Of the processor, and of the current GPU where one is in use."""

    processor: Tensor
    """State of the generator."""
    gpu: Tensor | None
    """The same."""
    casts: dict[str, tuple[bool, torch.dtype]]
    """By kind of device, whether autocast is on, and to what."""

    @classmethod
    def now(cls) -> "Moment":
        """The present one."""
        gpu = torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None
        casts = {kind: (torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)) for kind in KINDS}
        return cls(torch.get_rng_state(), gpu, casts)

    @contextmanager
    def again(self) -> Generator[None]:
        """As it was then; afterwards as it is now."""
        devices = [] if self.gpu is None else [torch.cuda.current_device()]
        with torch.random.fork_rng(devices=devices), ExitStack() as casts:
            for kind, (enabled, dtype) in self.casts.items():
                if enabled or torch.is_autocast_enabled(kind):
                    casts.enter_context(torch.autocast(kind, dtype=dtype, enabled=enabled))
            torch.set_rng_state(self.processor)
            if self.gpu is not None:
                torch.cuda.set_rng_state(self.gpu)
            yield

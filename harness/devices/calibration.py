"""How fast a device multiplies matrices and copies memory: what makes costs on two devices comparable at all.

The CPU is measured with numpy, so that its rates don't depend on what else is installed; other devices with torch.
Rates are those of the quickest repetition, which other programs disturb least.
"""

import time
from collections.abc import Callable

import numpy as np

CPU_SIZE, ACCELERATOR_SIZE = 1024, 4096
"""Rows of the square float32 matrices."""

CPU_BYTES, ACCELERATOR_BYTES = 64 * 2**20, 512 * 2**20
"""What is copied: more than any cache holds."""

SECONDS = 0.2
"""How long each of the two is repeated."""


def calibrate(torch_name: str) -> dict[str, float]:
    """Measured rates of a device.

    Args:
        torch_name: `cpu`, `cuda:0` …; it must be present.

    Returns:
        `matmul_gflops`: 10⁹ float32 operations a second; `copy_gb_per_s`: 10⁹ bytes copied a second, each counted once;
        `seconds`: how long the calibration took.
    """
    start = time.perf_counter()
    rates = _with_numpy() if torch_name == "cpu" else _with_torch(torch_name, _synchroniser(torch_name))
    return rates | {"seconds": time.perf_counter() - start}


def _with_numpy() -> dict[str, float]:
    chance = np.random.default_rng(0)
    a, b = chance.random((2, CPU_SIZE, CPU_SIZE), np.float32)
    product = np.empty_like(a)
    source = np.ones(CPU_BYTES // 4, np.float32)
    target = np.empty_like(source)
    multiply = _best(lambda: np.matmul(a, b, out=product))
    copy = _best(lambda: np.copyto(target, source))
    return _rates(CPU_SIZE, multiply, CPU_BYTES, copy)


def _with_torch(device: str, synchronise: Callable[[], None]) -> dict[str, float]:
    import torch

    a, b = torch.rand((2, ACCELERATOR_SIZE, ACCELERATOR_SIZE), device=device)
    product = torch.empty_like(a)
    source = torch.ones(ACCELERATOR_BYTES // 4, device=device)
    target = torch.empty_like(source)

    def finished(work: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            work()
            synchronise()

        return run

    synchronise()
    multiply = _best(finished(lambda: torch.matmul(a, b, out=product)))
    copy = _best(finished(lambda: target.copy_(source)))
    return _rates(ACCELERATOR_SIZE, multiply, ACCELERATOR_BYTES, copy)


def _synchroniser(torch_name: str) -> Callable[[], None]:
    """What waits until the device has done all that was asked of it."""
    import torch

    return torch.mps.synchronize if torch_name == "mps" else lambda: torch.cuda.synchronize(torch_name)


def _best(work: Callable[[], object]) -> float:
    """Seconds of the quickest repetition; the first, which warms up, doesn't count."""
    work()
    best, end = float("inf"), time.perf_counter() + SECONDS
    while (start := time.perf_counter()) < end:
        work()
        best = min(best, time.perf_counter() - start)
    return best


def _rates(size: int, multiply: float, copied: int, copy: float) -> dict[str, float]:
    return {"matmul_gflops": 2 * size**3 / multiply / 1e9, "copy_gb_per_s": copied / copy / 1e9}

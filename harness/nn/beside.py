"""Batches of one model computed at the same time on a CPU, by one thread each."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any, TypeVar

from harness.ahead import ahead
from harness.nn.modes import OPENVINO

Given = TypeVar("Given")
Made = TypeVar("Made")

KNOWN = {"harness", "sentence_transformers", "torch", "transformers"}
"""Packages whose modules can be called by several threads; a checkpoint's own code may keep what one call needs."""


def threads_of(model: Any, mode: str) -> int:
    """How many batches the model can compute at the same time: as many as torch has threads, on a CPU."""
    import torch

    own = {type(module).__module__.partition(".")[0] for module in model.modules()} - KNOWN
    return 1 if model.device.type != "cpu" or mode == OPENVINO or own else torch.get_num_threads()


def beside(work: Callable[[Given], Made], given: Iterable[Given], threads: int) -> Iterator[Made]:
    """What `work` makes of each, in order, in so many threads, with the inference mode and autocast of who asks.

    The first is made before all others begin: a model may keep what it computes of positions, and the first batch has
    the longest texts.
    """
    import torch

    from harness.nn.bfloat16 import autocast

    inference, half = torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")
    before = torch.get_num_threads()

    def inside(one: Given) -> Made:
        torch.set_num_threads(1)  # of this thread, and of those that begin from now on
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode(inference))
            stack.enter_context(autocast("cpu", half))
            return work(one)

    rest = iter(given)
    try:
        yield from ahead(inside, islice(rest, 1), threads=1)
        yield from ahead(inside, rest, threads, waiting=2 * threads)
    finally:
        torch.set_num_threads(before)

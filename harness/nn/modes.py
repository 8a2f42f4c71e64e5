"""What a model computes with when it encodes: fp32, or something faster that is a little less exact.

Nothing heavy is imported before it is asked for.
"""

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any

from harness.contracts import FP32
from harness.errors import ConfigError, MissingExtra

BF16 = "bf16"
"""Matrices are multiplied in bfloat16, sums are fp32: torch's autocast, with packed weights on a CPU."""
OPENVINO = "openvino-bf16"
"""The transformer runs in OpenVINO, in bfloat16; what stands around it stays in torch."""
MODES = (FP32, BF16, OPENVINO)

PACKED_FROM = 1 << 14
"""Characters from which on weights are packed: that takes as long as reading about 1,000 characters, for each call."""
MARGIN = 1.15
"""How many times faster a mode must be than the one before it to be taken."""
ROUNDS = 5
"""How often the probe times each mode."""


def check(mode: str, device: str | None = None) -> str:
    """The mode, once it is certain that it can be had.

    Args:
        mode: its name.
        device: a torch device name; None: any device that can.

    Raises:
        ConfigError: there is no such mode, or the device lacks it.
        MissingExtra: a package that it needs is not installed.
    """
    if mode not in MODES:
        raise ConfigError(f"mode: expected {', '.join(MODES)}, got {mode!r}")
    if mode == OPENVINO and find_spec("openvino") is None:
        raise MissingExtra(f"mode {OPENVINO} needs OpenVINO: pip install 'retrieval-harness[fast]', or take {FP32}")
    if mode == FP32 or device is None:
        return mode
    kind = device.partition(":")[0]
    if mode == OPENVINO and kind != "cpu":
        raise ConfigError(f"mode {OPENVINO}: expected the device cpu, got {device}; take {BF16}")
    from harness.nn.bfloat16 import multiplies

    if not multiplies(kind):
        raise ConfigError(f"mode {mode}: {device} doesn't compute in bfloat16; take {FP32}")
    return mode


@contextmanager
def computing(model: Any, mode: str, characters: int) -> Generator[None]:
    """Inside, the model computes in this mode, without gradients; it is the same as ever afterwards.

    Args:
        model: of sentence-transformers or transformers.
        mode: one that `check` lets pass.
        characters: how much will be read; how a call computes depends on nothing but its texts.

    Raises:
        ConfigError: OpenVINO can't run this model.
    """
    import torch

    from harness.nn import openvino
    from harness.nn.packed import packed

    kind = model.device.type
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        if mode == OPENVINO:
            stack.enter_context(openvino.served(model))
        elif mode == BF16:
            stack.enter_context(torch.autocast(kind, torch.bfloat16))
        if kind == "cpu" and mode != OPENVINO and characters >= PACKED_FROM:
            stack.enter_context(packed(model, torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32))
        yield


@cache
def fastest(device: str) -> str:
    """The mode in which transformers run fastest on this device, found out once a process, in some seconds.

    Args:
        device: a torch device name.

    Returns:
        fp32 where nothing else is clearly faster.

    Raises:
        MissingExtra: torch or transformers is not installed.
    """
    usable = [mode for mode in MODES if can(mode, device)]
    if device.partition(":")[0] != "cpu" or usable == [FP32]:
        return usable[-1]
    taken = _seconds(usable)
    chosen = FP32
    for mode in usable[1:]:
        if taken[mode] * MARGIN <= taken[chosen]:
            chosen = mode
    return chosen


def can(mode: str, device: str) -> bool:
    """Whether models can compute in this mode on this device."""
    try:
        check(mode, device)
    except (ConfigError, MissingExtra):
        return False
    return True


def _seconds(modes: list[str]) -> dict[str, float]:
    """Quickest time of a batch of 512 tokens through two of MiniLM's layers, the modes in turn."""
    model, batch = _stack()
    taken: dict[str, list[float]] = {mode: [] for mode in modes}
    for number in range(ROUNDS + 1):
        for mode in modes:
            with computing(model, mode, PACKED_FROM):
                start = time.perf_counter()
                model(**batch)
                if number:  # the first one warms up
                    taken[mode].append(time.perf_counter() - start)
    return {mode: min(found) for mode, found in taken.items()}


def _stack() -> tuple[Any, dict[str, Any]]:
    from harness.nn.loading import sentence_transformers

    sentence_transformers()
    import torch
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=64, hidden_size=384, intermediate_size=1536, num_hidden_layers=2)
    with torch.random.fork_rng(devices=[]):
        model = BertModel(config).eval()
    tokens = torch.ones(4, 128, dtype=torch.long)
    return model, {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}

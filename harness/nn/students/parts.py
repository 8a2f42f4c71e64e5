"""What a student reads in one step, cut into parts of like length; all of it is tokenised once."""

from collections.abc import Sequence
from typing import Any, TypeVar

import torch

from harness.nn.batches import batches
from harness.nn.reading import Chunk

TOKENS = 1024
"""Tokens that a CPU encodes at once, padding included. Fewer pad less, but the backward pass of each part adds a
gradient of the whole table of embeddings."""
GPU_TOKENS = 1 << 17
"""The same elsewhere."""

Item = TypeVar("Item")


class Part(tuple[Item, ...]):
    """Texts, or pairs of them, that are encoded together."""

    read: dict[str, Any] | None = None
    """What the model reads of them, on the processor; None where that can't be cut out of what it reads of all."""


def divided(
    items: Sequence[Item], read: dict[str, Any], guesses: Sequence[float], device: torch.device, most: int = 0
) -> tuple[list[int], list[Part[Item]]]:
    """Parts of like length, and the places of the items in the order of the parts.

    Equal items in equal order always make equal parts, so that what chance a model draws for them is always the same.

    Args:
        items: texts or pairs.
        read: what the model reads of them, tokenised together.
        guesses: about how many tokens each has, for a model that reads in a form that can't be cut.
        device: where they will be encoded.
        most: items in a part; 0 for any number.
    """
    chunk = Chunk.of(read)
    planned = batches(guesses if chunk is None else chunk.lengths, TOKENS if device.type == "cpu" else GPU_TOKENS)
    size = most or len(items)
    cut = [part[start : start + size] for part in planned for start in range(0, len(part), size)]
    parts = [Part(items[place] for place in places) for places in cut]
    for part, places in zip(parts, cut, strict=True):
        part.read = None if chunk is None else chunk.part(places)
    return [place for places in cut for place in places], parts

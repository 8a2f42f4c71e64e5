"""Texts → whatever a model makes of them, in batches of about as many tokens each, with nothing computed twice."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from harness.errors import DeviceError

Encoded = TypeVar("Encoded")

CHARACTERS_A_TOKEN = 4
"""In English; where a token has fewer, batches are larger than asked for, not wrong."""
MARKS = 2
"""Tokens that a tokeniser adds."""


def encode(
    texts: Sequence[str], embed: Callable[[list[str]], Sequence[Encoded]], *, limit: float, budget: int
) -> list[Encoded]:
    """What `embed` makes of each text, in the order of the texts.

    Texts of about one length go together, as little padding is work for nothing. Equal texts are encoded once, so
    that they are equal afterwards too: what stands beside a text in a batch changes the last bits of its numbers.

    Args:
        texts: any number of texts.
        embed: encodes one batch.
        limit: tokens that a text is cut at.
        budget: tokens in a batch, padding included.

    Raises:
        DeviceError: a single text doesn't fit into the device's memory.
    """
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    distinct = list(places)
    found: dict[int, Encoded] = {}
    for batch, encoded in _encode(distinct, embed, batches([_tokens(text, limit) for text in distinct], budget)):
        found.update(zip(batch, encoded, strict=True))
    return [found[places[text]] for text in texts]


def _tokens(text: str, limit: float) -> float:
    """A guess from the characters, which batches as well as a count from the tokeniser does, and costs nothing."""
    return min(len(text) / CHARACTERS_A_TOKEN + MARKS, limit)


def batches(lengths: Sequence[float], budget: float) -> list[list[int]]:
    """Positions, longest first, in batches whose padded size is within the budget; at least one in each."""
    found: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if found and lengths[found[-1][0]] * (len(found[-1]) + 1) <= budget:
            found[-1].append(place)
        else:
            found.append([place])
    return found


def _encode(
    texts: Sequence[str], embed: Callable[[list[str]], Sequence[Encoded]], planned: list[list[int]]
) -> Iterator[tuple[list[int], Sequence[Encoded]]]:
    """Batch after batch; one that doesn't fit into memory is cut in two."""
    import torch

    waiting = deque(planned)
    while waiting:
        batch = waiting.popleft()
        try:
            encoded = embed([texts[place] for place in batch])
        except torch.OutOfMemoryError as error:
            if len(batch) == 1:
                length = len(texts[batch[0]])
                raise DeviceError(
                    f"a text of {length} characters doesn't fit into the device's memory; lower max_length"
                ) from error
            torch.cuda.empty_cache()
            half = len(batch) // 2
            waiting.extendleft([batch[half:], batch[:half]])
        else:
            yield batch, encoded

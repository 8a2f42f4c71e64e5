"""Texts → whatever a model makes of them, in batches of about as many tokens each, with nothing computed twice."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from harness.errors import DeviceError

Encoded = TypeVar("Encoded")
Made = TypeVar("Made")

CHARACTERS_A_TOKEN = 4
"""In English; where a token has fewer, batches are larger than asked for, not wrong."""
MARKS = 2
"""Tokens that a tokeniser adds."""

Lengths = Sequence[float] | Mapping[int, float]
"""Tokens of each text, by its place."""

_halved: ContextVar[list[int] | None] = ContextVar("halved", default=None)


@contextmanager
def halvings() -> Generator[list[int]]:
    """The sizes of the batches that didn't fit into memory while the block runs, as they come."""
    token = _halved.set(found := [])
    try:
        yield found
    finally:
        _halved.reset(token)


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
    distinct, places = once(texts)
    lengths = guesses(distinct, limit)
    found: dict[int, Encoded] = {}
    for batch, encoded in fitted(batches(lengths, budget), lengths, lambda batch: embed([distinct[p] for p in batch])):
        found.update(zip(batch, encoded, strict=True))
    return [found[place] for place in places]


def once(texts: Sequence[str]) -> tuple[list[str], list[int]]:
    """The texts without repetitions, and where among them each text is."""
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return list(places), [places[text] for text in texts]


def guesses(texts: Sequence[str], limit: float) -> list[float]:
    """About how many tokens each text has, guessed from its characters, which costs nothing."""
    return [min(len(text) / CHARACTERS_A_TOKEN + MARKS, limit) for text in texts]


def batches(lengths: Sequence[float], budget: float) -> list[list[int]]:
    """Positions, longest first, in batches whose padded size is within the budget; at least one in each."""
    return divided(sorted(range(len(lengths)), key=lambda place: -lengths[place]), lengths, budget)


def divided(places: Iterable[int], lengths: Lengths, budget: float) -> list[list[int]]:
    """Places that come longest first, in batches whose padded size is within the budget; at least one in each."""
    found: list[list[int]] = []
    for place in places:
        if found and lengths[found[-1][0]] * (len(found[-1]) + 1) <= budget:
            found[-1].append(place)
        else:
            found.append([place])
    return found


def fitted(
    planned: Iterable[list[int]], lengths: Lengths, embed: Callable[[list[int]], Made]
) -> Iterator[tuple[list[int], Made]]:
    """Batch after batch, with what `embed` makes of it.

    One that doesn't fit into memory is cut in two, and no later one is larger than the halves.

    Args:
        planned: batches, each longest first.
        lengths: tokens of each text.
        embed: encodes the texts at these places.

    Raises:
        DeviceError: a single text doesn't fit into the device's memory.
    """
    most = float("inf")
    for batch in planned:
        waiting = deque(divided(batch, lengths, most))
        while waiting:
            part = waiting.popleft()
            made = _tried(embed, part)
            if made is not None:
                yield part, made
            elif len(part) == 1:
                raise DeviceError(
                    f"a text of about {lengths[part[0]]:.0f} tokens doesn't fit into the device's memory; lower "
                    "max_length"
                )
            else:
                most = lengths[part[0]] * len(part) / 2
                waiting.extendleft(reversed(divided(part, lengths, most)))


def _tried(embed: Callable[[list[int]], Made], part: list[int]) -> Made | None:
    """None where memory ran out; what had been computed until then is free again."""
    import torch

    try:
        return embed(part)
    except torch.OutOfMemoryError:
        if (told := _halved.get()) is not None:
            told.append(len(part))
    torch.cuda.empty_cache()
    return None

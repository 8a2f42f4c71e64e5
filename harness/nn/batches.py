"""Texts → whatever a model makes of them, in batches of about as many tokens each, with nothing computed twice."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
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
    fit = Fitting(lengths)
    for batch in batches(lengths, budget):
        for part, encoded in fit(batch, lambda part: embed([distinct[place] for place in part])):
            found.update(zip(part, encoded, strict=True))
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


class Fitting:
    """Computes batches; one that doesn't fit into memory is cut in two, and no later one is larger than the halves."""

    def __init__(self, lengths: Lengths) -> None:
        """Takes the tokens of each text, which may become known later."""
        self._lengths, self._most = lengths, float("inf")

    def __call__(self, batch: list[int], embed: Callable[[list[int]], Made]) -> list[tuple[list[int], Made]]:
        """The batch, or what it was cut into, with what `embed` makes of the texts at these places, longest first.

        Raises:
            DeviceError: a single text doesn't fit into the device's memory.
        """
        waiting, found = deque(divided(batch, self._lengths, self._most)), list[tuple[list[int], Made]]()
        while waiting:
            part = waiting.popleft()
            made = _tried(embed, part)
            if made is not None:
                found.append((part, made))
            elif len(part) == 1:
                raise DeviceError(
                    f"a text of about {self._lengths[part[0]]:.0f} tokens doesn't fit into the device's memory; lower "
                    "max_length"
                )
            else:
                self._most = self._lengths[part[0]] * len(part) / 2
                waiting.extendleft(reversed(divided(part, self._lengths, self._most)))
        return found


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

"""Windows over a list, and the order that a text spells out."""

import re
from collections.abc import Iterator

DIGITS = 9
"""Longer numbers are no passage's."""


def windows(documents: int, size: int, step: int) -> Iterator[slice]:
    """Parts of a list, from its end to its start; the last one begins at 0.

    A list of `documents` > `size` takes ceil((documents - size) / step) + 1 of them, a shorter one takes one.
    """
    start = max(0, documents - size)
    yield slice(start, start + size)
    while start > 0:
        start = max(0, start - step)
        yield slice(start, start + size)


def parse_order(text: str, documents: int) -> list[int]:
    """The order that a text spells out in numbers from 1; whatever the text, a permutation.

    Args:
        text: such as `[2] > [3] > [1]`. Whatever is no digit is passed over, as are numbers out of range or repeated.
        documents: how many there are.

    Returns:
        Positions from 0, with those that aren't named at the end in their old order.
    """
    written = [digits.lstrip("0") or "0" for digits in re.findall("[0-9]+", text)]
    numbers = [int(digits) - 1 for digits in written if len(digits) <= DIGITS]
    named = [number for number in numbers if 0 <= number < documents]
    return list(dict.fromkeys([*named, *range(documents)]))

"""Long tables on several pages: a browser shows a thousand rows, but nobody should wait for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True)
class Slice(Generic[Row]):
    """The rows that stand on one page."""

    rows: Sequence[Row]
    """In their order."""
    number: int
    """Of the page, from 1."""
    before: int
    """How many rows the pages before have."""
    total: int
    """Rows of all pages."""
    pages: Sequence[str]
    """Address of each page."""

    @property
    def page(self) -> str:
        """Its own page."""
        return self.pages[self.number - 1]


def slices(rows: Sequence[Row], size: int, first: str, further: str) -> list[Slice[Row]]:
    """The rows in slices, one at least.

    Args:
        rows: all of them.
        size: most rows of a page.
        first: address of the first page.
        further: that of the others, with `#` where the number stands.
    """
    starts = range(0, max(len(rows), 1), size)
    pages = [first, *(further.replace("#", str(number)) for number in range(2, len(starts) + 1))]
    return [
        Slice(rows=rows[start : start + size], number=number, before=start, total=len(rows), pages=pages)
        for number, start in enumerate(starts, 1)
    ]

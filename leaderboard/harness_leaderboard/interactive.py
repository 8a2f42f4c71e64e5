"""What the pages' scripts load: the scripts themselves, and data files that register their content on a page."""

from collections.abc import Iterator

from harness_leaderboard import assets, comparing, overview_table
from harness_leaderboard.json_files import File, registered
from harness_leaderboard.render import Renderer
from harness_leaderboard.sections import Board
from harness_leaderboard.tops import Tops


def scripts(_: Board, __: Renderer) -> Iterator[File]:
    """Every script."""
    yield from assets.scripts()


def tables(board: Board, render: Renderer) -> Iterator[File]:
    """The overview's tables."""
    for section in board.sections:
        table = overview_table.content(section, render.suites.get(section.anchor), render.options.costs)
        yield registered(overview_table.file_of(section), table)


def compare(board: Board, render: Renderer) -> Iterator[File]:
    """The compare page, and what it loads."""
    found = comparing.listings(board)
    yield render("compare.html", "compare", comparable=bool(found))
    yield registered(comparing.INDEX, comparing.index(found))
    tops: set[str] = set()
    for evaluation in comparing.first_seeds(found) if render.options.texts else ():
        if (top := Tops.of(evaluation)) is not None:
            tops.add(evaluation.id)
            yield registered(comparing.top_file(evaluation), comparing.top(top))
    for listing in found:
        yield registered(listing.file, comparing.listed(board, listing, tops))

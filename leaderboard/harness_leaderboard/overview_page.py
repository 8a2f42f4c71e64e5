"""The overview, best methods first; what doesn't fit stands on further pages."""

from collections.abc import Iterator

from harness_leaderboard.json_files import File
from harness_leaderboard.render import Renderer
from harness_leaderboard.sections import Board
from harness_leaderboard.slices import slices

ROWS = 100
"""Most rows of a section on a page."""


def files(board: Board, render: Renderer) -> Iterator[File]:
    """The overview and its further pages."""
    parts = {
        section.anchor: slices(section.rows, ROWS, f"index.html#{section.anchor}", f"overview/{section.anchor}-#.html")
        for section in board.sections
    }
    yield render("index.html", "index", parts=parts)
    for section in board.sections:
        for part in parts[section.anchor][1:]:
            yield render(part.page, "overview_further", section=section, part=part)

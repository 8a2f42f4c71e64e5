"""The board → its files, one at a time: equal evaluations, files that they left, options and date give equal bytes."""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from harness.store.records import Evaluation
from harness_leaderboard import data, further, interactive, method_page, overview_page, schema, task_page
from harness_leaderboard.board import assemble
from harness_leaderboard.chosen import chosen, in_order
from harness_leaderboard.data_tables import TABLES
from harness_leaderboard.external import EXTERNAL
from harness_leaderboard.json_files import File
from harness_leaderboard.options import Options
from harness_leaderboard.render import Renderer
from harness_leaderboard.sections import Board
from harness_leaderboard.tables import files as tables_as_data

DEFAULT = Options()


def build(evaluations: Iterable[Evaluation], day: date, title: str, options: Options = DEFAULT) -> Iterator[File]:
    """Every file of the site, pages and the data that they are made of.

    Args:
        evaluations: whatever the store holds, in any order.
        day: the date shown.
        title: heading of the site.
        options: what else it shows.
    """
    with _uncollected():
        board = in_order(assemble(chosen(evaluations, options), day, title), options)
        render = Renderer(board, options)
        for part in PARTS:
            yield from part(board, render)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles, which would go through a board again and again while its site is made."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _about(_: Board, render: Renderer) -> Iterator[File]:
    yield render("about.html", "about", tables=TABLES)


def _suites(_: Board, render: Renderer) -> Iterator[File]:
    for table in render.suites.values():
        yield render(table.section.page, "suite", table=table)
    yield from tables_as_data(render.suites.values()).items()


def _data(board: Board, render: Renderer) -> Iterator[File]:
    yield schema.file()
    yield from data.tables(render.published)
    yield from data.per_query(board, render.options.texts)


def _external(board: Board, render: Renderer) -> Iterator[File]:
    if board.external.evaluations:
        yield data.table(render.published, EXTERNAL, board.external.evaluations)


PARTS: tuple[Callable[[Board, Renderer], Iterator[File]], ...] = (
    *(overview_page.files, _about, _suites, task_page.files, method_page.files, _data),
    *(further.pages, further.run_files),
    _external,
    *(interactive.compare, interactive.tables, interactive.scripts),
)
"""What a site consists of; a further page or data file is one more of these."""

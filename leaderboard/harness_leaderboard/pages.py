"""The board → its pages: a pure function, so that equal evaluations and date give equal bytes."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.store.records import Evaluation
from harness_leaderboard import data, method_page, numbers, task_page
from harness_leaderboard.board import COSTS, assemble
from harness_leaderboard.catalogue import method_key
from harness_leaderboard.fields import FIELDS
from harness_leaderboard.public import last_part, link, slug, unique, visible, without_places
from harness_leaderboard.ranking import ALPHA, RESAMPLES
from harness_leaderboard.sections import Board
from harness_leaderboard.suite import ROLES, TRAINING_COSTS, USE_COSTS, suite_table
from harness_leaderboard.tables import files as tables_as_data


def build(evaluations: Iterable[Evaluation], day: date, title: str) -> dict[str, bytes]:
    """Every file of the site by its path: pages, and the data that they are made of.

    Args:
        evaluations: whatever the store holds, in any order.
        day: the date shown.
        title: heading of the site.
    """
    board = assemble(evaluations, day, title)
    render = _Renderer(board)
    pages = {"index.html": render("index"), "about.html": render("about", fields=FIELDS)}
    tables = [suite_table(board, section) for section in board.sections if section.page]
    pages |= {table.section.page: render("suite", table=table) for table in tables}
    pages |= {task.page: render("task", **task_page.content(board, task)) for task in board.tasks}
    pages |= {method.page: render("method", **method_page.content(board, method)) for method in board.methods}
    return {path: text.encode() for path, text in pages.items()} | data.files(board) | tables_as_data(tables)


class _Renderer:
    """Fills templates with what every page needs and what one page needs."""

    def __init__(self, board: Board) -> None:
        style = files("harness_leaderboard").joinpath("static/style.css").read_text("utf-8").strip()
        self._shared: Mapping[str, Any] = {"board": board, "style": style, "policy": _policy(style)}
        self._environment = _environment(board)

    def __call__(self, template: str, **content: Any) -> str:
        root = "" if template in ("index", "about") else "../"
        return self._environment.get_template(f"{template}.html.j2").render(root=root, **self._shared, **content)


def _policy(style: str) -> str:
    """What a page may load: our one sheet, named by its hash, since `self` means nothing to a page opened from disk."""
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{hashed}'; img-src data:; base-uri 'none'; form-action 'none'"


def _environment(board: Board) -> Environment:
    environment = Environment(
        loader=PackageLoader("harness_leaderboard"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    formats = [numbers.measure, numbers.signed, numbers.percent, numbers.p_value, numbers.count, numbers.cost]
    filters: dict[str, Any] = environment.filters
    filters |= {function.__name__: function for function in (*formats, numbers.plain, without_places, last_part)}
    names: dict[str, Any] = environment.globals
    names |= {"MISSING": numbers.MISSING, "COSTS": tuple(COSTS), "ALPHA": ALPHA, "RESAMPLES": RESAMPLES}
    names |= {"ROLES": ROLES, "TRAINING_COSTS": TRAINING_COSTS, "USE_COSTS": USE_COSTS}
    names |= {"cost_head": numbers.cost_head, "web": link, "per_query": board.per_query_files}
    names |= {"page_of": _pages(board), "anchor_of": _anchors(board)}
    return environment


def _pages(board: Board) -> dict[str, str]:
    """Evaluation id → the page of its method."""
    pages = {method.key: method.page for method in board.methods}
    return {evaluation.id: pages[method_key(evaluation)] for evaluation in board.evaluations}


def _anchors(board: Board) -> dict[str, str]:
    """Evaluation id → where it stands on that page."""
    ids = [evaluation.id for evaluation in board.evaluations]
    return dict(zip(ids, unique(f"evaluation-{slug(id)}" for id in ids), strict=True))

"""The board → text of pages: templates, and what every one of them is filled with."""

import base64
import hashlib
import shlex
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.store.places import last_part
from harness_leaderboard import costs, markup, numbers, runs
from harness_leaderboard.evaluation_pages import pages_of
from harness_leaderboard.options import Options
from harness_leaderboard.public import link, slug, unique, visible, without_places
from harness_leaderboard.published import Published
from harness_leaderboard.ranking import ALPHA, RESAMPLES
from harness_leaderboard.sections import Board
from harness_leaderboard.settings import FACTOR
from harness_leaderboard.suite import ROLES, TRAINING_COSTS, USE_COSTS, SuiteTable, suite_table


class Renderer:
    """Fills templates with what every page needs and what one page needs."""

    def __init__(self, board: Board, options: Options) -> None:
        """Of this board, as the options want it."""
        self.board, self.options = board, options
        style = files("harness_leaderboard").joinpath("static/style.css").read_text("utf-8").strip()
        self._shared: Mapping[str, Any] = {"board": board, "style": style, "policy": _policy(style), "options": options}
        self._environment = _environment(board, options)

    def __call__(self, path: str, template: str, **content: Any) -> tuple[str, bytes]:
        """The page at this path of the site, with its path."""
        root = "../" * path.count("/")
        text = self._environment.get_template(f"{template}.html.j2").render(root=root, **self._shared, **content)
        return path, text.encode()

    @cached_property
    def published(self) -> Published:
        """What many evaluations have in common."""
        return Published(self.board)

    @cached_property
    def arenas(self) -> Sequence[costs.Arena]:
        """What can be compared by its cost."""
        return costs.arenas(self.board)

    @cached_property
    def suites(self) -> Mapping[str, SuiteTable]:
        """The tables of closed suites, by the anchor of their section."""
        return {section.anchor: suite_table(self.board, section) for section in self.board.sections if section.page}

    @cached_property
    def runs(self) -> Mapping[str, str]:
        """Evaluation id → its run on the site; those that are published."""
        return runs.run_files(self.board) if self.options.runs else {}


def _policy(style: str) -> str:
    """What a page may load: our one sheet, named by its hash, and the scripts beside it; nothing inline runs."""
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    loaded = f"script-src 'self'; style-src 'sha256-{hashed}'; img-src data:"
    return f"default-src 'none'; {loaded}; base-uri 'none'; form-action 'none'"


def _environment(board: Board, options: Options) -> Environment:
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
    filters["quoted"] = shlex.quote
    names: dict[str, Any] = environment.globals
    names |= {"MISSING": numbers.MISSING, "COSTS": options.costs, "ALPHA": ALPHA, "RESAMPLES": RESAMPLES}
    names |= {"FACTOR": FACTOR, "ROLES": ROLES, "TRAINING_COSTS": TRAINING_COSTS, "USE_COSTS": USE_COSTS}
    names |= {"cost_head": numbers.cost_head, "web": link, "per_query": board.per_query_files}
    names |= markup.functions()
    names |= {"page_of": pages_of(board), "anchor_of": _anchors(board)}
    return environment


def _anchors(board: Board) -> dict[str, str]:
    """Evaluation id → where it stands on that page."""
    ids = [evaluation.id for evaluation in board.evaluations]
    return dict(zip(ids, unique(f"evaluation-{slug(id)}" for id in ids), strict=True))

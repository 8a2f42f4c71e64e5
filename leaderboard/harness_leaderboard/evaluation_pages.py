"""Which page of a method tells of an evaluation: the first, unless there are very many."""

from collections.abc import Mapping

from harness.store.records import Evaluation
from harness_leaderboard.model import Method
from harness_leaderboard.published import stem
from harness_leaderboard.sections import Board
from harness_leaderboard.slices import Slice, slices

ROWS = 200
"""Most evaluations on a page."""


def parts(board: Board, method: Method) -> list[Slice[Evaluation]]:
    """A method's evaluations: those that failed, those that its figures are made of, those that no longer count."""
    own = sorted(board.of_method[method.key], key=lambda one: (_rank(board, one), *_order(one)))
    return slices(own, ROWS, method.page, f"methods/{stem(method.page)}/#.html")


def pages_of(board: Board) -> Mapping[str, str]:
    """Evaluation id → the page that tells of it."""
    found = (part for method in board.methods for part in parts(board, method))
    return {evaluation.id: part.page for part in found for evaluation in part.rows}


def _rank(board: Board, evaluation: Evaluation) -> int:
    """Failures first, since other pages link to them as such."""
    return 0 if evaluation.state == "failed" else 1 if evaluation.id in board.shown else 2


def _order(evaluation: Evaluation) -> tuple[str, str, str, str, int, str]:
    task = evaluation.task
    return evaluation.division, evaluation.suite, task.name, task.split, evaluation.seed, evaluation.id

"""What the options leave of a store: the sections that are shown, in their order."""

from collections.abc import Iterable
from dataclasses import replace

from harness.errors import ConfigError
from harness.store.records import Evaluation
from harness_leaderboard.options import Options
from harness_leaderboard.sections import Board


def chosen(evaluations: Iterable[Evaluation], options: Options) -> list[Evaluation]:
    """The evaluations of the sections that the options name; all if they name none.

    Raises:
        ConfigError: they name a section that has no evaluation.
    """
    known = list(evaluations)
    places = {(evaluation.division, evaluation.suite) for evaluation in known}
    names = {name for division, suite in places for name in (division, f"{division}/{suite}")}
    for name in options.sections:
        if names and name not in names:
            there = ", ".join(sorted("/".join(filter(None, place)) for place in places))
            raise ConfigError(f"sections: no evaluation of {name!r} is stored, but of: {there}; correct the name")
    return [evaluation for evaluation in known if options.shows(evaluation.division, evaluation.suite)]


def in_order(board: Board, options: Options) -> Board:
    """The board with its sections as the options order them."""
    if not options.sections:
        return board
    ordered = sorted(board.sections, key=lambda section: options.place(section.division, section.suite))
    return replace(board, sections=tuple(ordered))

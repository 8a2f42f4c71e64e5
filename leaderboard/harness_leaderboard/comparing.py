"""What the compare page loads: who can be compared on which task, where their values are, what stood at their top."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from harness.store.records import Evaluation
from harness_leaderboard.model import Result, Task
from harness_leaderboard.public import displayed
from harness_leaderboard.sections import Board, Section
from harness_leaderboard.tops import Top

INDEX = "compare"
"""The data file that lists sections and tasks."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The methods that can be compared on a task of a section."""

    section: Section
    """Where they are compared."""
    task: Task
    """On what."""
    results: tuple[Result, ...]
    """With values by query, best first; two or more."""

    @property
    def file(self) -> str:
        """Its data file."""
        return f"compare/{self.section.anchor}/{_name(self.task)}"


def listings(board: Board) -> list[Listing]:
    """Wherever two methods or more have values by query on the same task."""
    found: list[Listing] = []
    for section in board.sections:
        for task in section.tasks:
            results = tuple(standing.result for standing in section.ranking(task) if standing.interval is not None)
            if len(results) > 1:
                found.append(Listing(section=section, task=task, results=results))
    return found


def index(found: list[Listing]) -> dict[str, Any]:
    """What the page offers: sections, and in each its tasks with the file that lists their methods."""
    sections: dict[str, dict[str, Any]] = {}
    for listing in found:
        section = listing.section
        place = sections.setdefault(
            section.anchor, {"anchor": section.anchor, "title": displayed(section.title), "tasks": []}
        )
        label = displayed(f"{listing.task.label} {listing.task.record.split}")
        place["tasks"].append({"key": _name(listing.task), "label": label, "file": listing.file})
    return {"sections": list(sections.values())}


def listed(board: Board, listing: Listing, tops: Collection[str]) -> dict[str, Any]:
    """The methods of a listing, each with the files of its values, a seed each, and of its top.

    Args:
        board: all that is shown.
        listing: whose methods.
        tops: ids of evaluations whose top documents there is a file of.
    """
    measures = [set(result.evaluations[0].per_query) for result in listing.results]
    return {
        "main": listing.task.main,
        "measures": sorted(set[str].intersection(*measures), key=lambda name: (name != listing.task.main, name)),
        "queries": board.queries_files[listing.task.key],
        "methods": [
            {
                "key": PurePosixPath(result.method.page).stem,
                "label": displayed(result.method.label),
                "page": result.method.page,
                "values": [board.per_query_files[evaluation.id] for evaluation in result.evaluations],
                "top": top_file(result.evaluations[0]) if result.evaluations[0].id in tops else None,
            }
            for result in listing.results
        ],
    }


def first_seeds(found: Iterable[Listing]) -> list[Evaluation]:
    """The evaluations whose top documents are shown: the first seed of each method."""
    return [result.evaluations[0] for listing in found for result in listing.results]


def top_file(evaluation: Evaluation) -> str:
    """The data file of its top documents."""
    return f"top/{evaluation.id}"


def top(found: Mapping[str, Top]) -> dict[str, Any]:
    """The documents of each query, `[id, grade]` each, and every document's title once."""
    return {
        "queries": {
            query: [[document.document, document.grade] for document in top.documents] for query, top in found.items()
        },
        "titles": {
            document.document: displayed(document.title) for top in found.values() for document in top.documents
        },
    }


def _name(task: Task) -> str:
    return PurePosixPath(task.page).stem

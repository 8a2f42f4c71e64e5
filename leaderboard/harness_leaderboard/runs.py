"""The runs behind the figures, as TREC run files that anyone can score again."""

import gzip
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.data.runfile import open_run_file
from harness.data.trec import write_run
from harness.errors import DataError, StoreError
from harness.records import Run
from harness.store.files import checked_path
from harness.store.records import Evaluation
from harness_leaderboard.public import slug, unique
from harness_leaderboard.sections import Board

NAME = "run"
"""Of the artefact."""
LEVEL = 6
"""Of the packing: what takes twice the time from here on saves a fortieth of the bytes."""


def run_files(board: Board) -> Mapping[str, str]:
    """Evaluation id → the path of its run on the site, for those whose file is at hand as it was stored."""
    paths = unique(slug(evaluation.id) for evaluation in board.evaluations)
    named = zip(board.evaluations, paths, strict=True)
    return {evaluation.id: f"data/runs/{name}.trec.gz" for evaluation, name in named if _at_hand(evaluation)}


def files(board: Board, paths: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """These runs, one at a time."""
    for id, path in paths.items():
        yield path, _packed(board.by_id[id])


def _at_hand(evaluation: Evaluation) -> bool:
    """Whether its run can be published: the file is the one that was stored, and its names fit into a run file."""
    try:
        run, documents = _open(evaluation)
    except (StoreError, DataError):
        return False
    names = (evaluation.method.name, *run.query_ids, *documents)
    return all(name.encode().split() == [name.encode()] for name in names)


def _open(evaluation: Evaluation) -> tuple[Run, list[str]]:
    """The run and the ids of its documents.

    Raises:
        StoreError, DataError: there is none, or it is not as it was stored.
    """
    artefact = next((found for found in evaluation.artefacts if found.name == NAME), None)
    if artefact is None:
        raise StoreError(f"evaluation {evaluation.id} left no run; expected one that is done")
    return open_run_file(checked_path(artefact))


def _packed(evaluation: Evaluation) -> bytes:
    """The run file, packed; the same run gives the same bytes."""
    run, documents = _open(evaluation)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.trec"
        write_run(run, documents, file, f"{evaluation.method.name}-{evaluation.id}")
        return gzip.compress(file.read_bytes(), LEVEL, mtime=0)

"""Evaluations go to another store: what was run on one machine counts there as if it had been run there.

Files that evaluations left stay behind; what is known of them (name, sha256, size) goes along, so that a file that is
copied to its place in the other store is checked before it is used.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from harness.errors import StoreError
from harness.store import bundle, convert, evaluations, files
from harness.store.models import EvaluationRow
from harness.store.records import Artefact, Evaluation
from harness.store.store import Store
from harness.store.validity import check_evaluation


class Taken(NamedTuple):
    """What became of the evaluations of a file."""

    added: int
    """Stored now."""
    known: int
    """Here already: the same, or any where the file's failed."""


def export(store: Store, file: Path, suite: str | None = None) -> int:
    """Write all evaluations, or those of a suite with the first stages they started from; how many.

    Raises:
        StoreError: there is none of that suite.
    """
    return bundle.write(_chosen(store.evaluations(), suite), file)


def take_in(store: Store, file: Path) -> Taken:
    """Store the evaluations of a file, all or none.

    One that failed never takes the place of another; one that failed here is replaced by one that is done.

    Raises:
        StoreError: a file that is damaged or none of ours, an evaluation that may not be stored, or one that is here
            with another content, which it names.
    """
    found = [_at_home(store, evaluation) for evaluation in bundle.read(file)]
    for evaluation in found:
        check_evaluation(evaluation)
    with store.database.writing() as session:
        here = _stored(session, [evaluation.id for evaluation in found])
        new = [evaluation for evaluation in found if _is_new(evaluation, here)]
        for evaluation in new:
            evaluations.put(session, evaluation)
    return Taken(added=len(new), known=len(found) - len(new))


def _chosen(everything: Sequence[Evaluation], suite: str | None) -> list[Evaluation]:
    if suite is None:
        return list(everything)
    wanted = {evaluation.id for evaluation in everything if evaluation.suite == suite}
    if not wanted:
        known = sorted({evaluation.suite for evaluation in everything} - {""})
        raise StoreError(f"no evaluation of a suite {suite!r} is stored; stored suites: {', '.join(known) or 'none'}")
    stages = {evaluation.id: evaluation.first_stages for evaluation in everything}
    waiting = list(wanted)
    while waiting:
        before = set(stages.get(waiting.pop(), ())) - wanted
        wanted |= before
        waiting += before
    return [evaluation for evaluation in everything if evaluation.id in wanted]


def _at_home(store: Store, evaluation: Evaluation) -> Evaluation:
    """The evaluation with its files where this store keeps them: a foreign path is never used."""
    if not re.fullmatch(r"[0-9a-f]{16}", evaluation.id):
        raise StoreError(f"evaluation {evaluation.id!r}: expected an id of 16 hexadecimal digits")
    folder = PurePosixPath(store.artefacts.relative_to(files.root()).as_posix()) / evaluation.id
    return replace(evaluation, artefacts=tuple(_moved(artefact, folder) for artefact in evaluation.artefacts))


def _moved(artefact: Artefact, folder: PurePosixPath) -> Artefact:
    return replace(artefact, path=str(folder / PurePosixPath(artefact.path).name))


def _stored(session: Session, ids: Sequence[str]) -> dict[str, Evaluation]:
    """Those of these that are in the store."""
    reader = convert.Reader(per_query=True)
    found: dict[str, Evaluation] = {}
    for chunk in evaluations.chunks(ids):
        rows = session.scalars(select(EvaluationRow).where(EvaluationRow.id.in_(chunk)))
        found |= {row.id: reader.evaluation(row) for row in rows}
    session.expunge_all()  # some are about to be replaced
    return found


def _is_new(evaluation: Evaluation, here: Mapping[str, Evaluation]) -> bool:
    """Whether it is to be stored.

    Raises:
        StoreError: if both are done and say different things.
    """
    mine = here.get(evaluation.id)
    if mine is None or (mine.state, evaluation.state) == ("failed", "done"):
        return True
    if evaluation.state == "done" and _content(mine) != _content(evaluation):
        raise StoreError(
            f"evaluation {evaluation.id} ({evaluation.method.name} on {evaluation.task.name}, seed {evaluation.seed}) "
            f"is stored here with another content; nothing was imported: `harness results remove {evaluation.id}` to "
            "take the file's, or export without it"
        )
    return False


def _content(evaluation: Evaluation) -> Evaluation:
    """What two stores may compare: all but the folders of files."""
    return replace(evaluation, artefacts=tuple(replace(artefact, path="") for artefact in evaluation.artefacts))

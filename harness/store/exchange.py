"""Evaluations go to another store: what was run on one machine counts there as if it had been run there.

As exported results they go without the files that they left: what is known of these (name, sha256, size) goes along, so
that a file that is copied to its place in the other store is checked before it is used. In a bundle the files go too.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from harness.errors import StoreError
from harness.store import bundle, files, results_file
from harness.store.intake import Files, Taken, take_in
from harness.store.records import Artefact, Evaluation
from harness.store.store import Store
from harness.store.validity import check_evaluation

ID = re.compile(r"[0-9a-f]{16}|x[0-9a-f]{15}")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
ARTEFACT_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Given:
    """What was written for others."""

    evaluations: int
    """How many."""
    files: int = 0
    """Files that go with them."""
    missing: int = 0
    """Files that they left elsewhere, which are not here."""


def export(store: Store, file: Path, suite: str | None = None) -> Given:
    """Write all evaluations, or those of a suite with the first stages they started from, without their files.

    Raises:
        StoreError: there is none of that suite.
    """
    found = _chosen(store.evaluations(), suite)
    content = results_file.packed(map(_abroad, found))
    with files.whole(file) as work:
        work.write_bytes(content)
    return Given(evaluations=len(found))


def write_bundle(store: Store, file: Path, suite: str | None = None) -> Given:
    """Write them with their files; those that are not here, since they came without, are left out.

    Raises:
        StoreError: there is none of that suite, or a file is not the one that was stored.
    """
    found = _chosen(store.evaluations(), suite)
    left = [artefact for evaluation in found for artefact in evaluation.artefacts]
    here = {artefact.sha256: artefact for artefact in left if files.is_kept(artefact)}
    paths = {digest: store.checked_path(artefact) for digest, artefact in here.items()}
    bundle.write([_abroad(evaluation) for evaluation in found], paths, file)
    missing = {artefact.sha256 for artefact in left} - set(here)
    return Given(evaluations=len(found), files=len(here), missing=len(missing))


def import_results(store: Store, file: Path) -> Taken:
    """Store the evaluations of a file of exported results.

    Raises:
        StoreError: a file that is damaged or none of ours, or an evaluation that may not be stored; then nothing is.
    """
    return admit(store, results_file.unpacked(file.read_bytes(), file.name), {})


def unbundle(store: Store, file: Path) -> Taken:
    """Store the evaluations of a bundle, and their files.

    Raises:
        StoreError: as `import_results`, or there is no room for the files; then nothing is stored.
    """
    with bundle.opened(file) as content:
        needed, free = sum(content.sizes.values()), files.free_bytes()
        if needed > free:
            raise StoreError(f"{file.name}: its files need {needed} bytes, {free} are free at {files.root()}")
        return admit(store, content.evaluations, content.copies)


def admit(store: Store, found: Iterable[Evaluation], arrived: Files) -> Taken:
    """Store foreign evaluations, once all of them are certain to be such as may be stored.

    Raises:
        StoreError: naming the first that may not; then nothing is stored.
    """
    at_home = [_at_home(store, evaluation) for evaluation in found]
    for evaluation in at_home:
        check_evaluation(evaluation)
    return take_in(store, at_home, arrived)


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


def _abroad(evaluation: Evaluation) -> Evaluation:
    """The evaluation without the folders of this store: equal ones of two stores are written alike."""
    return _moved(evaluation, PurePosixPath(evaluation.id))


def _at_home(store: Store, evaluation: Evaluation) -> Evaluation:
    """The evaluation with its files where this store keeps them: a foreign path is never used."""
    if not ID.fullmatch(evaluation.id):
        raise StoreError(f"evaluation {evaluation.id!r}: expected an id of 16 hexadecimal digits, or `x` and 15")
    _check_artefacts(evaluation)
    folder = PurePosixPath(store.artefacts.relative_to(files.root()).as_posix()) / evaluation.id
    return _moved(evaluation, folder)


def _check_artefacts(evaluation: Evaluation) -> None:
    for artefact in evaluation.artefacts:
        named = ARTEFACT_NAME.fullmatch(artefact.name) and FILE_NAME.fullmatch(PurePosixPath(artefact.path).name)
        if not (named and SHA256.fullmatch(artefact.sha256) and artefact.bytes >= 0):
            raise StoreError(
                f"evaluation {evaluation.id}: artefact {artefact.name[:40]!r} at {artefact.path[:80]!r}: expected "
                "plain names, a sha256 and a size"
            )
    names = [PurePosixPath(artefact.path).name for artefact in evaluation.artefacts]
    if len(set(names)) < len(names):
        raise StoreError(f"evaluation {evaluation.id}: expected artefacts of different names, got {', '.join(names)}")


def _moved(evaluation: Evaluation, folder: PurePosixPath) -> Evaluation:
    def moved(artefact: Artefact) -> Artefact:
        return replace(artefact, path=str(folder / PurePosixPath(artefact.path).name))

    return replace(evaluation, artefacts=tuple(map(moved, evaluation.artefacts)))

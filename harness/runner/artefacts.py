"""The files that an evaluation leaves, and the clearing up after whoever was killed.

A file is written in the holder's own folder and moved to its place whole, while the holder has the evaluation's lease;
the row follows in one transaction. So a folder without a row and without a live lease is a leftover.
"""

import shutil
from pathlib import Path

from harness.contracts import Corpus, Task
from harness.data.kept import remove_workplaces
from harness.data.runfile import read_run_file, write_run_file
from harness.errors import StoreError
from harness.home import home
from harness.records import Run
from harness.runner.topfile import write_top_file
from harness.seal import digest_of
from harness.store import Store
from harness.store.files import evaluations_in, place, remove_all, root
from harness.store.leases import evaluation_resource
from harness.store.records import Artefact, Evaluation
from harness.store.work import is_abandoned, work_root

RUN, TOP = "run", "top"
"""Names of artefacts."""
WORKPLACES = ("data", "data/joined", "data/tasks/*", "signals/*/*")
"""Folders of the home in which files are made that then move to their place."""


def keep(store: Store, evaluation_id: str, run: Run, task: Task, split: str, work_folder: Path) -> tuple[Artefact, ...]:
    """Store the run of an evaluation and what stands at its top, and say where."""
    return tuple(_keep(store, evaluation_id, file) for file in write(run, task, split, work_folder))


def write(run: Run, task: Task, split: str, folder: Path) -> tuple[Path, Path]:
    """Write the run and what stands at its top to files named after the artefacts that they will be."""
    run_file, top_file = folder / f"{RUN}.parquet", folder / f"{TOP}.parquet"
    corpus = task.corpus()
    write_run_file(run, corpus.ids, run_file)
    write_top_file(run, task.queries(split), corpus, task.qrels(split), top_file)
    return run_file, top_file


def _keep(store: Store, evaluation_id: str, file: Path) -> Artefact:
    target = store.artefacts / evaluation_id / file.name
    place(file, target)
    return described(target, str(target.relative_to(root())))


def described(file: Path, path: str) -> Artefact:
    """What is stored of a file that an evaluation left; it is named after the artefact, and will lie at this path."""
    return Artefact(name=file.stem, path=path, sha256=digest_of(file), bytes=file.stat().st_size)


def stored_run(store: Store, evaluation: Evaluation, corpus: Corpus) -> Run:
    """The run that an evaluation left.

    Raises:
        StoreError: if the file is not there or is not the one that was stored.
    """
    artefact = next((artefact for artefact in evaluation.artefacts if artefact.name == RUN), None)
    if artefact is None:
        raise StoreError(f"evaluation {evaluation.id} has no run here; run it again, or take a bundle with its files")
    return read_run_file(store.checked_path(artefact), evaluation.task.query_ids, corpus)


def remove_leftovers(store: Store) -> None:
    """Remove what killed processes left: leases, artefacts without an evaluation, work folders without a process."""
    store.drop_stale_leases()
    ids = evaluations_in(store.artefacts)
    states = store.states(ids)
    for evaluation_id in ids:
        if states.get(evaluation_id) != "done":
            _remove_unowned(store, evaluation_id)
    for folder in sorted(work_root().glob("*")):
        if is_abandoned(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
    for pattern in WORKPLACES:
        for parent in home().glob(pattern):
            remove_workplaces(parent)


def _remove_unowned(store: Store, evaluation_id: str) -> None:
    """Remove the artefacts of an evaluation that is not done and that nobody is doing, which its lease decides."""
    resource, holder = evaluation_resource(evaluation_id), "clearing up"
    if store.acquire(resource, holder, seconds=60):
        if store.state(evaluation_id) != "done":
            remove_all(store.artefacts / evaluation_id)
        store.release(resource, holder)

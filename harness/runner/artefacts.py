"""The files that an evaluation leaves, and the clearing up after whoever was killed.

A file is written in the holder's own folder and moved to its place whole, while the holder has the evaluation's lease;
the row follows in one transaction. So a folder without a row and without a live lease is a leftover.
"""

import hashlib
import os
import shutil
from pathlib import Path

from harness.contracts import Corpus
from harness.data.runfile import read_run_file, write_run_file
from harness.home import home
from harness.records import Run
from harness.store import Store
from harness.store.files import root
from harness.store.owner import Owner, this_process
from harness.store.records import Artefact, Evaluation

RUN = "run"


def keep_run(evaluation_id: str, run: Run, corpus: Corpus, work_folder: Path) -> Artefact:
    """Store the run of an evaluation and say where."""
    file = work_folder / "run.parquet"
    write_run_file(run, corpus.ids, file)
    target = root() / evaluation_id / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(file, target)
    content = target.read_bytes()
    path = str(target.relative_to(root()))
    return Artefact(name=RUN, path=path, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def stored_run(store: Store, evaluation: Evaluation, corpus: Corpus) -> Run:
    """The run that an evaluation left.

    Raises:
        StoreError: if the file is not there or is not the one that was stored.
    """
    (artefact,) = [artefact for artefact in evaluation.artefacts if artefact.name == RUN]
    return read_run_file(store.checked_path(artefact), evaluation.task.query_ids, corpus)


def remove_leftovers(store: Store) -> list[Path]:
    """Remove what killed processes left: leases, artefacts without an evaluation, work folders without a process."""
    store.drop_stale_leases()
    folders = sorted(path for path in root().glob("*") if path.is_dir())
    states = store.states([folder.name for folder in folders])
    lost = [folder for folder in folders if states.get(folder.name) != "done" and not _held(store, folder.name)]
    lost += [folder for folder in sorted(work_root().glob("*")) if _gone(folder.name)]
    for folder in lost:
        shutil.rmtree(folder, ignore_errors=True)
    return lost


def _held(store: Store, evaluation_id: str) -> bool:
    return store.holder(f"evaluation:{evaluation_id}") is not None


def work_root() -> Path:
    """Where every process has a work folder of its own, named after it."""
    return home() / "work"


def _gone(name: str) -> bool:
    """Whether the process that a work folder is named after is certainly not there any more."""
    host, pid, started = (*name.split("-"), "", "")[:3]
    return not pid.isdigit() or Owner(host=host, pid=int(pid), started=started).gone


def own_work_folder() -> Path:
    """The work folder of this process, made if it is not there."""
    owner = this_process()
    folder = work_root() / f"{owner.host}-{owner.pid}-{owner.started}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder

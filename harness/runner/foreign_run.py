"""Anyone's run file on a task: read strictly, scored as our own evaluations are, stored as an external result."""

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shutil import copyfile
from typing import Any

from harness.contracts import Task
from harness.data.trec import read_run
from harness.records import Run
from harness.runner import artefacts, evaluate, record
from harness.scoring import exclude
from harness.seal import digest_of
from harness.store.external import Said, external
from harness.store.intake import Files
from harness.store.records import Evaluation

SUMMARY = "A run file that others made, scored here; the method did not run here."


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """A run file and what is said of it."""

    file: Path
    """TREC run file."""
    name: str
    """What the method is called."""
    url: str = ""
    """Where the run, or the method, is described."""


def read(file: Path, task: Task, split: str) -> Run:
    """The run, of what the task lets be retrieved.

    Raises:
        DataError: naming the line that is wrong.
    """
    run = read_run(file, task.qrels(split).query_ids, task.corpus())
    if candidates := getattr(task, "candidates", lambda _: None)(split):
        run = exclude.all_but(run, candidates)
    return exclude.without_self(run, task.corpus()) if task.facts.exclude_self else run


def scored(given: Foreign, task: Task, split: str, folder: Path, extra: Mapping[str, Any]) -> tuple[Evaluation, Files]:
    """The external result that a run file is, and the files that come with it: the run and what stands at its top.

    Args:
        given: the run file.
        task: the task that it ranks the documents of.
        split: a split of it.
        folder: where the files are written.
        extra: measures that plugins add, by name.

    Raises:
        DataError: the run is not of this task.
        StoreError: the name or the URL may not be stored.
    """
    run = read(given.file, task, split)
    per_query = evaluate.scored(run, task, split, extra)
    now = datetime.now(UTC)
    said = Said(
        method=given.name,
        summary=SUMMARY,
        origin={"source": "run file", "url": given.url},
        file={"file": given.file.name, "sha256": digest_of(given.file)},
        task=record.task_record(task, split),
        content=run_digest(run, task),
        measures=record.means(per_query),
        per_query=per_query,
        started=now,
        finished=now,
        command=_command(given, task, split),
    )
    evaluation = external(said)
    written = artefacts.write(run, task, split, folder)
    left = {file: artefacts.described(file, f"{evaluation.id}/{file.name}") for file in written}
    files = {artefact.sha256: partial(_copy, file) for file, artefact in left.items()}
    return replace(evaluation, artefacts=tuple(left.values())), files


def run_digest(run: Run, task: Task) -> str:
    """Names a ranking: the documents and scores of each query, however the file wrote them."""
    hasher, ids = hashlib.sha256(), task.corpus().ids
    for place, query in enumerate(run.query_ids):
        found = run.rows[place] >= 0
        documents = [ids[int(row)] for row in run.rows[place, found]]
        hasher.update(repr((query, documents)).encode())
        hasher.update(run.scores[place, found].astype("<f4").tobytes())
    return hasher.hexdigest()


def _copy(file: Path, target: Path) -> None:
    copyfile(file, target)


def _command(given: Foreign, task: Task, split: str) -> str:
    words = ["harness", "results", "import-run", given.file.name, "--task", task.facts.name, "--split", split]
    return shlex.join([*words, "--name", given.name, *(["--url", given.url] if given.url else [])])

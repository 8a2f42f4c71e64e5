"""mteb: a folder of its result files → external results.

The files lie as mteb keeps them, `<model>/<revision>/<Task>.json`, with a `model_meta.json` beside them that says what
the model is called; without it, the folders do. mteb's own reader reads them, so that those of its earlier versions
count too; what it lets through is checked.
"""

import hashlib
import json
import math
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.errors import DataError, MissingExtra
from harness.store.convert import digest
from harness.store.external import Said, external
from harness.store.records import Evaluation, TaskRecord

MODEL = "model_meta.json"
"""What mteb says of a model, beside the results of it."""

SCORES = {"nDCG": "ndcg", "AP": "map", "RR": "mrr", "R": "recall", "P": "precision", "Success": "hit_rate"}
"""Measures with a cut-off as ir_measures names them → as mteb does."""

OURS = {name: measure for measure, name in SCORES.items()}

SUMMARY = "As a result file of mteb says; it was not evaluated here."


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a folder holds."""

    results: tuple[Evaluation, ...]
    """One a split and subset of a task."""
    others: int
    """Result files of tasks that have none of our measures: no retrieval."""


def read_folder(folder: Path) -> Found:
    """All results below a folder.

    Raises:
        DataError: there are none, or one that is damaged, which it names.
        MissingExtra: mteb is not installed.
    """
    files = sorted(path for path in folder.rglob("*.json") if path.name != MODEL and path.is_file())
    if not files:
        raise DataError(f"{folder}: expected result files of mteb, <model>/<revision>/<Task>.json, found none")
    read = [list(_results(folder, file)) for file in files]
    return Found(results=tuple(one for found in read for one in found), others=sum(not found for found in read))


def _results(folder: Path, file: Path) -> Iterator[Evaluation]:
    told, where = _told(file), str(file.relative_to(folder))
    model, origin = _model(file)
    finished = _moment(told.date, file)
    for split, entries in told.scores.items():
        for entry in entries:
            measures = dict(_measures(entry, where))
            if not measures:
                continue
            task = _task(told, split, entry, measures)
            said = Said(
                method=model,
                summary=SUMMARY,
                origin={"source": "mteb", **origin},
                file={"file": file.name, "sha256": _sha256(file), "mteb": str(told.mteb_version or "not stated")},
                task=task,
                content=measures,
                measures={name: measures[name] for name in sorted(measures, key=_order(task))},
                per_query=dict.fromkeys(measures, ()),
                started=finished - timedelta(seconds=_seconds(told.evaluation_time)),
                finished=finished,
                command=shlex.join(["harness", "results", "import-mteb", folder.resolve().name]),
            )
            yield external(said)


def _told(file: Path) -> Any:
    """What mteb's own reader makes of a file: a `TaskResult`."""
    try:
        from mteb.results import TaskResult
    except ImportError as error:
        raise MissingExtra("result files of mteb are read by mteb itself: pip install mteb") from error
    try:
        return TaskResult.from_disk(file)
    except Exception as error:  # it raises whatever it stumbles over
        told = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise DataError(f"{file}: expected a result file of mteb, got {told}; remove it or mend it") from error


def _model(file: Path) -> tuple[str, dict[str, str]]:
    """What the model is called, and what is known of where it is from."""
    meta = _meta(file.with_name(MODEL))
    place = file.resolve().parent
    experiment = place.name if place.parent.name == "experiments" else ""
    revision = place.parent.parent if experiment else place
    name = meta.get("name") or revision.parent.name.replace("__", "/")
    url = str(meta.get("reference") or "")
    return str(name), {
        "revision": str(meta.get("revision") or revision.name),
        "experiment": experiment,
        "url": url if url.startswith(("https://", "http://")) else "",
    }


def _meta(file: Path) -> Mapping[str, Any]:
    if not file.exists():
        return {}
    try:
        meta = json.loads(file.read_bytes())
    except ValueError as error:
        raise DataError(f"{file}: expected JSON, got {error}; remove it or mend it") from None
    if not isinstance(meta, dict):
        raise DataError(f"{file}: expected an object, got {type(meta).__name__}; remove it or mend it")
    return meta


def _measures(entry: Mapping[str, Any], where: str) -> Iterator[tuple[str, float]]:
    """Our names of the scores that have one, with their values."""
    for score, value in entry.items():
        name, _, depth = score.rpartition("_at_")
        if name in OURS and depth.isdigit():
            yield f"{OURS[name]}@{depth}", _value(value, f"{where}: {score}")


def _value(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= 1:
        raise DataError(f"{where} is {value!r}; expected a number from 0 to 1, as mteb writes it")
    return float(value)


def _task(told: Any, split: str, entry: Mapping[str, Any], measures: Mapping[str, float]) -> TaskRecord:
    """The task as far as the file tells: its content is known by name and revision only, its queries are not."""
    subset = entry["hf_subset"]
    name = f"mteb:{told.task_name}" + ("" if subset == "default" else f"/{subset}")
    main = _main(told, entry, measures)
    facts = {
        "summary": f"{told.task_name} as mteb has it, by name and revision; its content is not known here.",
        "measures": [main, *sorted(set(measures) & {"nDCG@10", "RR@10", "R@100"} - {main})],
        "languages": [str(language) for language in entry["languages"]],
        "source": "mteb",
        "revision": told.dataset_revision,
    }
    known = [told.task_name, told.dataset_revision, subset, split]
    fingerprint = f"mteb-{digest(known)[:16]}"
    return TaskRecord(fingerprint=fingerprint, name=name, split=split, facts=facts, query_ids=(), query_texts=())


def _main(told: Any, entry: Mapping[str, Any], measures: Mapping[str, float]) -> str:
    """The measure that is mteb's main score of the task; nDCG@10, as everywhere here, where it has none of our names.

    A task that the installed mteb doesn't know has the measure of the main score's value, nDCG@10 before others.
    """
    try:
        name, _, depth = str(told.task.metadata.main_score).rpartition("_at_")
        same = [f"{OURS.get(name)}@{depth}"]
    except KeyError:
        same = [name for name in ("nDCG@10", *measures) if measures.get(name) == entry["main_score"]]
    return next(name for name in (*same, "nDCG@10", *measures) if name in measures)


def _order(task: TaskRecord) -> Any:
    """Sorts measures: the task's first, in their order, then by name and depth."""
    own = list(task.facts["measures"])

    def key(measure: str) -> tuple[int, str, int]:
        name, _, depth = measure.partition("@")
        return own.index(measure) if measure in own else len(own), name, int(depth)

    return key


def _moment(date: datetime | None, file: Path) -> datetime:
    """When it was evaluated; of a file that does not say so, when that was written."""
    if date is None:
        return datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
    return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)


def _seconds(time: Any) -> float:
    return float(time) if isinstance(time, int | float) and 0 <= time < 1e9 else 0.0


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()

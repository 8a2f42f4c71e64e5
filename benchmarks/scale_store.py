"""A store of made-up evaluations, as large as asked for, for benchmarks of what reads it.

The rows are those that `Store.put` writes, put in by the thousand; values by query are gains of a single relevant
document, 1 / log2(1 + rank), since those have the many zeros, ones and long fractions of real ones.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from harness.store import open_store
from harness.store.convert import environment_row, evaluation_row, method_row, task_row
from harness.store.models import ArtefactRow, Base, EvaluationRow, MethodRow, TaskRow
from harness.store.records import Artefact, Evaluation, MethodRecord, TaskRecord
from harness.store.store import Store

MEASURE = "nDCG@10"
GAINS = np.array([1 / np.log2(1 + rank) for rank in range(1, 11)] + [0.0])
"""By rank; the last for what isn't among the ten best."""
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLUGINS = 40
STEPS = 60
ENVIRONMENT = {
    "packages": {f"package-{number}": f"{number}.0.{number % 7}" for number in range(60)},
    "python": "3.11.2",
    "system": "Linux 6.1",
    "processor": {"name": "Made-up CPU", "cores": 2},
}
Configured = tuple[MethodRecord, dict[str, Any], dict[str, Any]]
"""A method, its configuration, and how it was trained."""
LANGUAGES = (["en"], ["de"], ["en", "fr"], ["zh"])


def fill(file: Path, methods: int, tasks: int, queries: int, seed: int = 0) -> None:
    """Write a new store of every method on every task; one method in fifty has failed on one task."""
    chance = np.random.default_rng(seed)
    store = open_store(str(file))
    quality = np.sort(chance.normal(0, 0.6, methods))[::-1]
    places = chance.permutation(methods)
    records = [_task(number, queries) for number in range(tasks)]
    configured = [_method(int(place)) for place in places]
    _add(store, records, [method for method, _, _ in configured])
    for number, record in enumerate(records):
        codes = _codes(chance, quality, queries)
        _add_evaluations(store, _evaluations(record, number, configured, codes))


def extra(file: Path, queries: int) -> None:
    """Put in one evaluation more, of a new seed of a method in the middle, on the first task."""
    chance = np.random.default_rng(1)
    one = _evaluation(_task(0, queries), 0, _method(1), GAINS[_codes(chance, np.zeros(2), queries)[1]])
    open_store(str(file)).put(replace(one, id=_digest(one.id, 1), seed=1))


def _evaluation(on: TaskRecord, number: int, of: Configured, values: np.ndarray) -> Evaluation:
    method, config, training = of
    place = config["rank"]
    failed = (number + 1) * 50 == place + 1
    told: dict[str, Any] = {
        "measures": {MEASURE: float(values.mean())},
        "per_query": {MEASURE: tuple(values.tolist())},
        "cost": _cost(place, number, training),
        "artefacts": (Artefact(name="run", path=f"{place}/{number}", sha256=_digest(place, number) * 4, bytes=9),),
    }
    if failed:
        told = {"error": "RuntimeError: out of memory (method.py:40)"}
    return Evaluation(
        id=_digest(method.name, config, on.fingerprint),
        state="failed" if failed else "done",
        method=method,
        config=config,
        config_digest=_digest(config),
        checkpoints={},
        task=on,
        seed=0,
        device="cpu",
        calibration={"matmul_gflops": 41.5, "copy_gb_per_s": 5.0},
        environment=ENVIRONMENT,
        harness_version="0.1.0",
        command=f"harness run --plugin {method.name} --task {on.name} -o rank={place} --seed 0",
        started=START,
        finished=START + timedelta(minutes=1),
        training=training,
        **told,
    )


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _task(number: int, queries: int) -> TaskRecord:
    name = f"task-{number:02}"
    facts = {
        "summary": f"A made-up task, number {number}.",
        "splits": ["test"],
        "measures": [MEASURE],
        "languages": LANGUAGES[number % len(LANGUAGES)],
        "licence": "CC BY 4.0",
        "source": f"https://example.org/{name}",
        "revision": "1",
        "citation": "Nobody, 2026",
        "exclude_self": False,
        "documents": 10_000 + 137 * number,
        "queries": queries,
        "judgements": queries,
    }
    return TaskRecord(
        fingerprint=_digest(name, queries),
        name=name,
        split="test",
        facts=facts,
        query_ids=tuple(f"q{query}" for query in range(queries)),
        query_texts=tuple(f"what is known of the made-up subject {query}?" for query in range(queries)),
    )


def _method(place: int) -> Configured:
    """A method with its configuration, and how it was trained; `place` numbers them."""
    plugin = place % PLUGINS
    distilled = plugin % 2 == 1
    name = f"method-{plugin:02}"
    card = {
        "name": name,
        "kind": "distiller" if distilled else "retriever",
        "summary": f"A made-up method, number {plugin}.",
        "family": ("dense", "sparse", "late interaction", "lexical")[plugin % 4],
        "paper": {"title": "On nothing", "authors": "Nobody", "year": 2026, "venue": "", "url": "https://example.org"},
        "gives": [],
        "needs": [],
        "presets": {},
        "deviations": ["It is made up."],
        "claims": [{"dataset": "T", "measure": MEASURE, "value": 0.5, "source": "Table 1", "task": "task-00"}],
        "knobs": [{"name": "width", "type": "int", "default": 8, "help": "Width.", "unit": "", "paper": 16}],
    }
    record = MethodRecord(
        implementation=_digest(name),
        name=name,
        kind=card["kind"],
        distribution=f"harness-{name}",
        version="0.1.0",
        card=card,
    )
    config: dict[str, Any] = {"rank": place, "width": 8 * (1 + place % 5), "pooling": "mean", "prompt": ""}
    return record, config, _training(place) if distilled else {}


def _training(place: int) -> dict[str, Any]:
    return {
        "lesson": _digest("lesson", place),
        "student": f"pip:student-{place % 3}",
        "teachers": [f"teacher-{place % 4}"],
        "tasks": ["task-00", "task-01"],
        "candidates": _digest("candidates") * 4,
        "account": {"steps": STEPS, "examples": 16 * STEPS, "seconds": 100.0 + place},
        "curves": {"distil": [float(2 * np.exp(-step / 20) + place / 1e4) for step in range(STEPS)]},
    }


def _cost(place: int, number: int, training: dict[str, Any]) -> dict[str, float]:
    found = {
        "index_seconds": 1.0 + place % 17 + number / 7,
        "query_p50_ms": 1.0 + place % 23,
        "query_p95_ms": 2.0 + place % 23,
        "index_bytes": 1e6 * (1 + place % 31),
        "parameters": 1e6 * (1 + place % 7),
    }
    return found | ({"train_seconds": 100.0 + place, "teacher_seconds": 30.0} if training else {})


def _codes(chance: np.random.Generator, quality: np.ndarray, queries: int) -> np.ndarray:
    """For each method and query, which of the gains it has: queries differ in difficulty, methods in quality."""
    level = chance.normal(0, 1.2, queries) - quality[:, None] + chance.normal(0, 0.9, (len(quality), queries))
    return np.digitize(level, np.linspace(-0.4, 1.2, len(GAINS) - 1))


def _evaluations(
    record: TaskRecord, number: int, configured: list[Configured], codes: np.ndarray
) -> Iterator[Evaluation]:
    for of in configured:
        yield _evaluation(record, number, of, GAINS[codes[of[1]["rank"]]])


def _add(store: Store, tasks: list[TaskRecord], methods: list[MethodRecord]) -> None:
    rows = {MethodRow: methods, TaskRow: tasks}
    make = {MethodRow: method_row, TaskRow: task_row}
    with store.database.writing() as session:
        session.add(environment_row(ENVIRONMENT))
        for kind, records in rows.items():
            session.add_all({row.digest: row for row in map(make[kind], records)}.values())


def _add_evaluations(store: Store, found: Iterator[Evaluation]) -> None:
    """What `Store.put` would write for each, in one transaction; the text of a value is made once."""
    shown = {float(gain): repr(float(gain)) for gain in GAINS}
    digests: dict[str, str] = {}
    evaluations: list[dict[str, Any]] = []
    artefacts: list[dict[str, Any]] = []
    measures: list[tuple[Any, ...]] = []
    for one in found:
        for row in (method_row(one.method), task_row(one.task)) if one.method.name not in digests else ():
            digests[row.name] = row.digest
        row = evaluation_row(one, digests[one.method.name], digests[one.task.name], environment_row(ENVIRONMENT).digest)
        evaluations.append(_columns(row))
        artefacts += [_columns(artefact) | {"evaluation_id": one.id} for artefact in row.artefacts]
        for measure in row.measures:
            text = f"[{', '.join([shown[value] for value in measure.per_query])}]"
            measures.append((one.id, measure.name, measure.position, measure.mean, text))
    with store.database.writing() as session:
        session.execute(insert(EvaluationRow), evaluations)
        session.execute(insert(ArtefactRow), artefacts)
        session.connection().exec_driver_sql(
            "INSERT INTO measures (evaluation_id, name, position, mean, per_query) VALUES (?, ?, ?, ?, ?)", measures
        )


def _columns(row: Base) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}

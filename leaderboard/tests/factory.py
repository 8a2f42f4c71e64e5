"""Made-up evaluations: every figure is synthetic, drawn from a fixed seed."""

import hashlib
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from harness.store.records import Artefact, Evaluation, MethodRecord, TaskRecord

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENVIRONMENT = {
    "packages": {"numpy": "2.4.6", "torch": "2.13.0"},
    "python": "3.11.2",
    "system": "Linux 6.1",
    "processor": {"name": "Made-up CPU", "cores": 2},
}
MEASURES = ("nDCG@10", "RR@10", "R@100", "AP")


def digest(*parts: Any) -> str:
    """Sixteen hexadecimal digits, as the harness makes them."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def task(name: str = "nfcorpus", split: str = "test", queries: int = 40, **facts: Any) -> TaskRecord:
    """A task; its fingerprint follows from its name, split and size."""
    told = {
        "summary": f"A made-up task named {name}.",
        "splits": ["test"],
        "measures": list(MEASURES),
        "languages": ["en"],
        "licence": "CC BY 4.0",
        "source": f"https://example.org/{name}",
        "revision": "1",
        "citation": "Nobody, 2026",
        "exclude_self": False,
        "documents": 3633,
        "queries": queries,
        "judgements": 12 * queries,
    }
    return TaskRecord(
        fingerprint=digest(name, split, queries),
        name=name,
        split=split,
        facts=told | facts,
        query_ids=tuple(f"q{number}" for number in range(queries)),
        query_texts=tuple(f"query {number}" for number in range(queries)),
    )


def method(name: str = "bm25", kind: str = "retriever", code: str = "one", **card: Any) -> MethodRecord:
    """A method with a small card."""
    told = {
        "name": name,
        "kind": kind,
        "summary": f"A made-up method named {name}.",
        "family": "dense",
        "paper": None,
        "gives": [],
        "needs": [],
        "presets": {},
        "deviations": [],
        "claims": [],
        "knobs": [],
    }
    return MethodRecord(
        implementation=digest(name, code),
        name=name,
        kind=kind,
        distribution=f"harness-{name}",
        version="0.1.0",
        card=told | card,
    )


def evaluation(
    of: MethodRecord | None = None,
    on: TaskRecord | None = None,
    config: Mapping[str, Any] | None = None,
    values: Sequence[float] | None = None,
    seed: int = 0,
    **fields: Any,
) -> Evaluation:
    """A finished evaluation whose measures are all the mean of `values`."""
    of, on, config = of or method(), on or task(), config or {}
    values = tuple(values) if values is not None else (0.5,) * len(on.query_ids)
    names = on.facts.get("measures", MEASURES)
    mean = sum(values) / len(values)
    usual: dict[str, Any] = {
        "id": digest(of.implementation, config, on.fingerprint, seed, fields.get("division"), fields.get("suite")),
        "state": "done",
        "method": of,
        "config": config,
        "config_digest": digest(config),
        "checkpoints": {},
        "task": on,
        "seed": seed,
        "device": "cpu",
        "calibration": {"matmul_gflops": 41.5, "copy_gb_per_s": 5.0},
        "environment": ENVIRONMENT,
        "harness_version": "0.1.0",
        "command": f"harness run --plugin {of.name} --task {on.name} --split {on.split} --seed {seed}",
        "started": START,
        "finished": START + timedelta(minutes=1),
        "measures": dict.fromkeys(names, mean),
        "per_query": dict.fromkeys(names, values),
        "cost": {"index_seconds": 1.25, "query_p50_ms": 3.5, "query_p95_ms": 7.0, "index_bytes": 2.5e6},
        "artefacts": (Artefact(name="run", path="x/run.parquet", sha256=digest("run") * 4, bytes=1000),),
    }
    return Evaluation(**(usual | fields))


def failed(done: Evaluation, error: str = "RuntimeError: out of memory (dense/method.py:40)") -> Evaluation:
    """The same work, had it failed."""
    return replace(done, state="failed", error=error, measures={}, per_query={}, cost={}, artefacts=())


def board(methods: Sequence[Mapping[str, Any]], tasks: Sequence[TaskRecord], seed: int = 7) -> list[Evaluation]:
    """Every method on every task: queries differ in difficulty, methods in quality, seeds a little.

    Args:
        methods: `record`, `config`, `quality`, and, if wanted, `seeds`, `cost`, `skip` (task names), `fields`.
        tasks: what they are evaluated on.
        seed: of all chance.
    """
    chance = np.random.default_rng(seed)
    difficulty = {record.name: chance.normal(0, 1.1, len(record.query_ids)) for record in tasks}
    found: list[Evaluation] = []
    for what, on in itertools.product(methods, tasks):
        if on.name in what.get("skip", ()):
            continue
        own = chance.normal(0, 0.7, len(on.query_ids))
        for run_seed in what.get("seeds", (0,)):
            level = what["quality"] + difficulty[on.name] + own + chance.normal(0, 0.08, len(own))
            ndcg = np.round(1 / (1 + np.exp(-level)), 4)
            per_query = {
                "nDCG@10": ndcg,
                "RR@10": np.round(np.minimum(1, ndcg * 1.15), 4),
                "R@100": np.round(np.sqrt(ndcg), 4),
                "AP": np.round(ndcg**1.4, 4),
            }
            found.append(
                evaluation(
                    of=what["record"],
                    on=on,
                    config=what.get("config"),
                    seed=run_seed,
                    per_query={name: tuple(map(float, values)) for name, values in per_query.items()},
                    measures={name: math.fsum(values) / len(values) for name, values in per_query.items()},
                    cost=_cost(what.get("cost", {}), on),
                    **what.get("fields", {}),
                )
            )
    return found


def _cost(of: Mapping[str, float], on: TaskRecord) -> dict[str, float]:
    """Costs of a thousand documents → of this task."""
    size = on.facts["documents"] / 1000
    scaled = {"index_seconds", "index_bytes", "train_seconds"}
    return {name: round(value * (size if name in scaled else 1), 3) for name, value in of.items()}


def small() -> list[Evaluation]:
    """A little of everything: two configurations, seeds, a first stage, a failure, a claim, two divisions, old code."""
    tasks = [task("nfcorpus", queries=30), task("scifact", queries=24, documents=5183)]
    lexical = method(
        "bm25",
        family="lexical",
        paper={
            "title": "Okapi at TREC-3",
            "authors": "Robertson et al.",
            "year": 1994,
            "venue": "TREC",
            "url": "https://trec.nist.gov/pubs/trec3/t3_proceedings.html",
        },
        deviations=["The idf is never negative."],
        claims=[
            {"dataset": "NFCorpus", "measure": "nDCG@10", "value": 0.3218, "source": "Table 2", "task": "nfcorpus"},
            {"dataset": "MS MARCO", "measure": "RR@10", "value": 0.184, "source": "Table 3", "task": ""},
        ],
        knobs=[
            {"name": "k1", "type": "float", "default": 0.9, "help": "Saturation.", "unit": "", "paper": 1.2},
            {"name": "b", "type": "float", "default": 0.4, "help": "Length.", "unit": "", "paper": 0.75},
        ],
    )
    student = method("margin-mse", kind="distiller")
    cheap = {"index_seconds": 0.2, "query_p50_ms": 0.4, "index_bytes": 400_000.0}
    dear = {"index_seconds": 9.0, "query_p50_ms": 6.0, "index_bytes": 1_500_000.0, "parameters": 22_700_000.0}
    base = {"plugin": "bm25", "config": {"k1": 0.9, "b": 0.4}}
    distilled = {"record": student, "config": {"student": "minilm-l6"}, "quality": 0.3, "seeds": (0, 1), "cost": dear}
    closed = {**distilled, "fields": {"division": "closed", "suite": "closed-tiny"}}
    found = board(
        [
            {"record": lexical, "config": base["config"], "quality": -0.3, "cost": cheap},
            {"record": lexical, "config": {"k1": 1.2, "b": 0.75}, "quality": -0.1, "cost": cheap},
            {"record": method("cascade"), "config": {"base": base}, "quality": 0.8, "cost": dear, "skip": ("scifact",)},
            distilled,
        ],
        tasks,
    )
    first = next(one for one in found if one.method == lexical and one.task == tasks[0])
    found = [replace(one, first_stages=(first.id,)) if one.method.name == "cascade" else one for one in found]
    cascade = next(one for one in found if one.method.name == "cascade")
    lost = evaluation(of=cascade.method, on=tasks[1], config=cascade.config)
    old = evaluation(of=replace(lexical, implementation=digest("old")), on=tasks[0], config=first.config)
    return [
        *found,
        *board([closed], tasks[:1], seed=8),
        failed(lost),
        replace(old, finished=START - timedelta(days=3)),
    ]

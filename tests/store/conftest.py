"""A store on SQLite and on a real PostgreSQL server, and evaluations to put into it."""

import json
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

import pytest

from harness.store import Store, open_store
from harness.store.records import Artefact, Evaluation, MethodRecord, TaskRecord

SAMPLE = Evaluation(
    id="0123456789abcdef",
    state="done",
    method=MethodRecord(
        implementation="aaaa",
        name="bm25",
        kind="retriever",
        distribution="harness-bm25",
        version="0.1.0",
        card={"summary": "Lexical.", "knobs": [{"name": "k1", "default": 1.2}, {"name": "b", "default": 0.75}]},
    ),
    config={"k1": 0.9, "b": 0.75},
    config_digest="cccc",
    checkpoints={"pip:some-model": "sha256:12"},
    task=TaskRecord(
        fingerprint="ffff",
        name="nfcorpus",
        split="test",
        facts={"documents": 3633, "measures": ["nDCG@10", "RR@10"]},
        query_ids=("q1", "q2", "q3"),
        query_texts=("first", "zweite ä", "第三"),
    ),
    seed=7,
    division="closed",
    suite="beir-small",
    first_stages=(),
    device="cpu",
    calibration={"matmul_gflops": 98.5},
    environment={"python": "CPython 3.11.7", "packages": {"numpy": "2.4.6"}},
    harness_version="0.1.0",
    command="harness run --plugin bm25 -o k1=0.9 --task nfcorpus --seed 7",
    started=datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
    finished=datetime(2026, 1, 2, 3, 5, tzinfo=UTC),
    measures={"nDCG@10": 0.3, "RR@10": 0.1 + 0.2, "AP": 1 / 3},
    per_query={"nDCG@10": (0.1, 0.3, 0.5), "RR@10": (0.0, 0.1 + 0.2, 0.6), "AP": (1 / 3, 1 / 3, 1 / 3)},
    cost={"search_seconds": 1.5, "index_bytes": 3e9},
)
FAILURE = {"state": "failed", "measures": {}, "per_query": {}, "cost": {}, "artefacts": (), "error": "DataError: bad"}


@pytest.fixture
def sample() -> Callable[..., Evaluation]:
    """Makes an evaluation, with fields changed; `sample(failed=True)` is one that failed."""

    def make(failed: bool = False, **changes) -> Evaluation:
        return replace(SAMPLE, **(FAILURE if failed else {}) | changes)

    return make


@pytest.fixture
def with_run(own_home: Path) -> Callable[..., Evaluation]:
    """Gives an evaluation of a store a run file of two queries."""

    def add(store: Store, evaluation: Evaluation) -> Evaluation:
        import numpy as np

        from harness.data.runfile import write_run_file
        from harness.records import Run
        from harness.seal import digest_of

        rows = np.array([[2, 0], [1, -1]], np.int32)
        scores = np.array([[1.5, 0.25], [3.0, -np.inf]], np.float32)
        path = store.artefacts / evaluation.id / "run.parquet"
        path.parent.mkdir(parents=True)
        write_run_file(Run(query_ids=("q1", "q2"), rows=rows, scores=scores), ["d0", "d1", "d2"], path)
        name = str(path.relative_to(own_home / "artefacts"))
        artefact = Artefact(name="run", path=name, sha256=digest_of(path), bytes=path.stat().st_size)
        return replace(evaluation, artefacts=(artefact,))

    return add


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a store that is not there yet."""
    return str(tmp_path / "a.db") if request.param == "sqlite" else request.getfixturevalue("empty_postgresql")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    opened = open_store(url)
    yield opened
    opened.database.engine.dispose()


class Others:
    """Other processes on the same store."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.processes: list[subprocess.Popen] = []

    def start(self, *tasks: tuple[object, ...], given: Sequence[object] = ()) -> list[subprocess.Popen]:
        """Run other_process.py once a task, all at the same time; wait until all are ready to do their part."""
        script = Path(__file__).with_name("other_process.py")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        commands = [[sys.executable, script, self.url, *map(str, task)] for task in tasks]
        started = [subprocess.Popen(command, **pipes) for command in commands]
        self.processes += started
        for process, value in zip_longest(started, given):
            pickle.dump(value, process.stdin)
            process.stdin.flush()
        assert [process.stdout.readline() for process in started] == [b"ready\n"] * len(started)
        return started

    def go(self, processes: Sequence[subprocess.Popen]) -> list[object]:
        """Let them do their parts at the same moment; what each says."""
        moment = time.time() + 0.2
        for process in processes:
            process.stdin.write(f"{moment}\n".encode())
            process.stdin.flush()
        return [json.loads(process.stdout.readline()) for process in processes]


@pytest.fixture
def others(url: str) -> Iterator[Others]:
    started = Others(url)
    yield started
    for process in started.processes:
        process.kill()
        process.communicate()

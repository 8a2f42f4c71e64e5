"""Made-up evaluations for every test of the leaderboard, and the sites that small stores of them give."""

import importlib.util
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from harness_leaderboard.pages import build

from harness.records import Run
from harness.runner.topfile import write_top_file
from harness.seal import digest_of
from harness.store.files import root
from harness.store.records import Artefact, Evaluation
from harness.testing.tiny import tiny_task

DAY = date(2026, 3, 2)
HERE = Path(__file__).parent


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"leaderboard_{name}", HERE / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def factory() -> ModuleType:
    return load("factory")


@pytest.fixture(scope="session")
def closed() -> ModuleType:
    return load("closed")


@pytest.fixture(scope="session")
def small_site(factory: ModuleType) -> dict[str, bytes]:
    return dict(build(factory.small(), DAY, "A small board"))


@pytest.fixture(scope="session")
def closed_site(factory: ModuleType, closed: ModuleType) -> dict[str, bytes]:
    return dict(build(closed.suite(factory), DAY, "A closed suite"))


@pytest.fixture(scope="session", params=["small_site", "closed_site"])
def site(request: pytest.FixtureRequest) -> dict[str, bytes]:
    """Either site."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def with_tops(factory: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Evaluation]:
    """Evaluations of two methods whose top documents are at hand."""
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "home"))
    tiny = tiny_task(tmp_path / "tiny")
    split, queries = tiny.facts.split, tiny.queries(tiny.facts.split)
    record = factory.task("tiny", queries=len(queries))
    record = replace(
        record, query_ids=tuple(query.id for query in queries), query_texts=tuple(query.text for query in queries)
    )
    found = []
    for number_, name in enumerate(("one", "two")):
        rows = np.tile(np.arange(number_, number_ + 10, dtype=np.int32), (len(queries), 1))
        run = Run(query_ids=record.query_ids, rows=rows, scores=-rows.astype(np.float32))
        path = root() / name / "top.parquet"
        path.parent.mkdir(parents=True)
        write_top_file(run, queries, tiny.corpus(), tiny.qrels(split), path)
        top = Artefact(name="top", path=f"{name}/top.parquet", sha256=digest_of(path), bytes=path.stat().st_size)
        values = tuple(float((place + 3 * number_) % 5) / 5 for place in range(len(queries)))
        found.append(factory.evaluation(of=factory.method(name), on=record, values=values, artefacts=(top,)))
    return found

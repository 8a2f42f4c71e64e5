import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from harness_leaderboard.options import Options
from harness_leaderboard.pages import build

from harness.data.runfile import write_run_file
from harness.records import Run
from harness.seal import digest_of
from harness.store.files import root
from harness.store.records import Artefact, Evaluation

DAY = date(2026, 3, 2)
LINES = "q0 Q0 d2 1 2.5 bm25-{id}\nq0 Q0 d1 2 0.5 bm25-{id}\nq1 Q0 d1 1 1 bm25-{id}\n"


@pytest.fixture
def left(factory: ModuleType, own_home: Path) -> Callable[..., Evaluation]:
    """An evaluation that left a run over these documents."""

    def made(documents: tuple[str, ...] = ("d1", "d2"), name: str = "bm25") -> Evaluation:
        file = root() / name / "run.parquet"
        file.parent.mkdir(parents=True)
        rows, scores = np.array([[1, 0], [0, -1]], np.int32), np.array([[2.5, 0.5], [1, -np.inf]], np.float32)
        write_run_file(Run(query_ids=("q0", "q1"), rows=rows, scores=scores), documents, file)
        artefact = Artefact(name="run", path=f"{name}/run.parquet", sha256=digest_of(file), bytes=1)
        return factory.evaluation(of=factory.method(name), on=factory.task(queries=2), artefacts=(artefact,))

    return made


def runs(site: dict[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in site.items() if path.startswith("data/runs/")}


def test_a_run_at_hand_is_published_and_linked(left):
    evaluation = left()
    site = dict(build([evaluation], DAY, "Test"))
    path = f"data/runs/{evaluation.id}.trec.gz"
    assert gzip.decompress(runs(site)[path]).decode() == LINES.format(id=evaluation.id)
    (page,) = [text.decode() for name, text in site.items() if name.startswith("methods/")]
    assert f'href="../{path}"' in page
    assert runs(dict(build([evaluation], DAY, "Test"))) == runs(site)


def test_runs_may_be_kept_back(left):
    site = dict(build([left()], DAY, "Test", Options(runs=False)))
    assert runs(site) == {}
    assert not [path for path, content in site.items() if b"data/runs/" in content and path.endswith(".html")]


@pytest.mark.parametrize("change", [Path.unlink, lambda file: file.write_bytes(b"another")])
def test_a_run_that_is_gone_or_changed_is_neither_published_nor_linked(left, change):
    evaluation = left()
    change(root() / "bm25" / "run.parquet")
    site = dict(build([evaluation], DAY, "Test"))
    assert runs(site) == {}
    assert not [path for path, content in site.items() if b".trec.gz" in content and path.startswith("methods/")]


def test_a_run_that_the_format_cannot_hold_is_left_out(left):
    other = left(name="dense")
    site = dict(build([left(documents=("d 1", "d2")), other], DAY, "Test"))
    assert set(runs(site)) == {f"data/runs/{other.id}.trec.gz"}

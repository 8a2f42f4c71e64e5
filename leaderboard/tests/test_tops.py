import hashlib
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from harness_leaderboard.tops import Ranked, Top, Tops

from harness.runner.topfile import SCHEMA
from harness.store.files import root
from harness.store.records import Artefact, Evaluation

ROWS = [
    {"query": "q1", "text": "what?", "rank": 1, "document": "d1", "title": "One", "score": 2.5, "grade": 1},
    {"query": "q1", "text": "what?", "rank": 2, "document": "d2", "title": "Two", "score": 1.5, "grade": None},
    {"query": "q2", "text": "who?", "rank": 1, "document": "d1", "title": "One", "score": 0.5, "grade": 0},
]


@pytest.fixture
def left(factory: ModuleType, own_home: Path):
    """An evaluation that left these bytes as its top file."""

    def made(content: bytes) -> Evaluation:
        file = root() / "x" / "top.parquet"
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        return factory.evaluation(
            artefacts=(Artefact(name="top", path="x/top.parquet", sha256=digest, bytes=len(content)),)
        )

    return made


def parquet(rows: list[dict[str, object]], schema: pa.Schema = SCHEMA) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink)
    return sink.getvalue().to_pybytes()


def test_tops_are_read_as_they_were_left(left):
    tops = Tops.of(left(parquet(ROWS)))
    assert tops == {
        "q1": Top(
            text="what?",
            documents=(
                Ranked(document="d1", title="One", score=2.5, grade=1),
                Ranked(document="d2", title="Two", score=1.5, grade=None),
            ),
        ),
        "q2": Top(text="who?", documents=(Ranked(document="d1", title="One", score=0.5, grade=0),)),
    }


def test_an_empty_file_has_no_query(left):
    assert Tops.of(left(parquet([]))) == {}


def test_an_evaluation_without_a_top_file_has_none(factory: ModuleType):
    assert Tops.of(factory.evaluation()) is None


def test_a_file_that_is_gone_is_missing(left):
    evaluation = left(parquet(ROWS))
    (root() / "x" / "top.parquet").unlink()
    assert Tops.of(evaluation) is None


def test_a_file_that_was_changed_is_missing(left):
    evaluation = left(parquet(ROWS))
    (root() / "x" / "top.parquet").write_bytes(parquet(ROWS[:1]))
    assert Tops.of(evaluation) is None


@pytest.mark.parametrize(
    "content",
    [
        b"no parquet",
        parquet([{"query": "q1"}], pa.schema([("query", pa.string())])),
        parquet([{**ROWS[0], "score": "much"}], SCHEMA.set(5, pa.field("score", pa.string()))),
    ],
)
def test_a_file_of_another_kind_is_missing(left, content: bytes):
    assert Tops.of(left(content)) is None

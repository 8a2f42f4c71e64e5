"""A stored run reads back the same, in its order, and a file that is no run of the task is refused."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.corpus import build_corpus
from harness.data.runfile import iter_rows, open_run_file, read_run_file, write_run_file
from harness.errors import DataError
from harness.records import Document, Run

IDS = ["d0", "d1", "d2", "dokument ä"]


@pytest.fixture
def corpus(tmp_path):
    return build_corpus((Document(id=name, text="text") for name in IDS), tmp_path / "corpus")


def run(queries=("q1", "q2", "q3")) -> Run:
    """Equal scores, an empty ranking in the middle, a score that only float32 holds."""
    rows = np.array([[3, 1, 0], [-1, -1, -1], [1, 2, -1]], np.int32)
    scores = np.array([[0.1, 0.1, -5], [-np.inf] * 3, [1e-30, 0, -np.inf]], np.float32)
    return Run(query_ids=queries, rows=rows, scores=scores)


def test_reads_back_the_same(tmp_path, corpus):
    path = tmp_path / "run.parquet"
    write_run_file(run(), corpus.ids, path)
    found = read_run_file(path, ("q1", "q2", "q3"), corpus)
    assert found.query_ids == ("q1", "q2", "q3")
    np.testing.assert_array_equal(found.rows, run().rows)
    np.testing.assert_array_equal(found.scores, run().scores)
    assert (found.rows.dtype, found.scores.dtype) == (np.int32, np.float32)


def test_follows_the_order_of_the_queries_and_of_the_corpus(tmp_path):
    path = tmp_path / "run.parquet"
    write_run_file(run(), IDS, path)
    other = build_corpus((Document(id=name, text="text") for name in reversed(IDS)), tmp_path / "other")
    found = read_run_file(path, ("q3", "q0", "q1", "q2"), other)
    np.testing.assert_array_equal(found.rows, [[2, 1, -1], [-1, -1, -1], [0, 2, 3], [-1, -1, -1]])


def test_needs_no_task_to_be_read(tmp_path):
    path = tmp_path / "run.parquet"
    write_run_file(run(), IDS, path)
    rows = [("q1", "dokument ä"), ("q1", "d1"), ("q1", "d0"), ("q3", "d1"), ("q3", "d2")]
    assert [row[:2] for row in iter_rows(path)] == rows
    assert [row[2] for row in iter_rows(path)][2:] == [-5, float(np.float32(1e-30)), 0]
    found, ids = open_run_file(path)
    listed = [[ids[row] for row in ranking if row >= 0] for ranking in found.rows]
    assert dict(zip(found.query_ids, listed, strict=True))["q1"] == ["dokument ä", "d1", "d0"]


def test_file_is_the_columns_it_says(tmp_path):
    path = tmp_path / "run.parquet"
    write_run_file(run(), IDS, path)
    table = pq.read_table(path)
    assert table.column_names == ["query", "document", "score"]
    assert table.schema.field("score").type == pa.float32()
    assert pa.types.is_dictionary(table.schema.field("document").type)
    assert [file.name for file in tmp_path.iterdir()] == ["run.parquet"]
    content = path.read_bytes()
    write_run_file(run(), IDS, path)
    assert path.read_bytes() == content


def test_large_run_with_ids_in_several_row_groups(tmp_path):
    """Above a million rows Parquet splits the file, and each part has a dictionary of its own."""
    queries, k, documents = 1100, 1000, 5000
    chance = np.random.default_rng(0)
    ids = [f"doc-{number * 7919 % documents}" for number in range(documents)]
    rows = np.argsort(chance.random((queries, documents), np.float32), axis=1)[:, :k].astype(np.int32)
    scores = -np.sort(-chance.random((queries, k), np.float32), axis=1)
    large = Run(query_ids=tuple(map(str, range(queries))), rows=rows, scores=scores)
    write_run_file(large, ids, tmp_path / "run.parquet")
    assert pq.ParquetFile(tmp_path / "run.parquet").num_row_groups > 1
    found, names = open_run_file(tmp_path / "run.parquet")
    np.testing.assert_array_equal(found.scores, scores)
    for query in (0, 500, 1099):
        assert [names[row] for row in found.rows[query]] == [ids[row] for row in rows[query]]


@pytest.mark.parametrize("rankings", [0, 2])
def test_run_without_rows(tmp_path, corpus, rankings):
    empty = Run(
        query_ids=("q1", "q2")[:rankings],
        rows=np.full((rankings, 3), -1, np.int32),
        scores=np.full((rankings, 3), -np.inf, np.float32),
    )
    write_run_file(empty, corpus.ids, tmp_path / "run.parquet")
    assert read_run_file(tmp_path / "run.parquet", ("q1", "q2"), corpus).rows.shape == (2, 0)
    assert list(iter_rows(tmp_path / "run.parquet")) == []
    assert open_run_file(tmp_path / "run.parquet")[0].k == 0


def write(path, queries, documents, scores) -> None:
    """A file with these rows, whether they are a ranking or not."""
    columns = [pa.array(column).dictionary_encode() for column in (queries, documents)]
    pq.write_table(pa.table([*columns, pa.array(scores, pa.float32())], ["query", "document", "score"]), path)


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ((["q1", "zz"], ["d0", "d1"], [2, 1]), "'zz'"),
        ((["q1", "q1"], ["d0", "dx"], [2, 1]), "'dx'"),
        ((["q1", "q2", "q1"], ["d0", "d0", "d1"], [3, 2, 1]), "together"),
        ((["q1", "q1"], ["d0", "d1"], [1, 2]), "descending"),
        ((["q1", "q1"], ["d0", "d1"], [1, float("nan")]), "finite"),
        ((["q1", "q1"], ["d0", "d1"], [float("inf"), 1]), "finite"),
    ],
)
def test_rows_that_are_no_run_of_the_task_are_refused(tmp_path, corpus, rows, word):
    write(tmp_path / "run.parquet", *rows)
    with pytest.raises(DataError, match=word):
        read_run_file(tmp_path / "run.parquet", ("q1", "q2"), corpus)


def test_file_that_is_no_run_is_refused(tmp_path):
    path = tmp_path / "run.parquet"
    with pytest.raises(DataError, match=r"run\.parquet"):
        open_run_file(path)
    path.write_bytes(b"something else")
    with pytest.raises(DataError, match="stored run"):
        open_run_file(path)
    pq.write_table(pa.table({"query": ["q1"], "score": [1.0]}), path)
    with pytest.raises(DataError, match="columns"):
        list(iter_rows(path))


def test_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "run.parquet"
    write_run_file(run(), IDS, path)
    before = path.read_bytes()
    monkeypatch.setattr("harness.data.runfile.os.replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_run_file(run(("a", "b", "c")), IDS, path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.parquet"]
    assert path.read_bytes() == before

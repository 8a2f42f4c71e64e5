"""TREC files: what is written reads back the same, and a malformed line is named."""

import math
from pathlib import Path

import numpy as np
import pytest

from harness.data.corpus import ArrowCorpus, build_corpus
from harness.data.judgements import make_qrels
from harness.data.trec import read_qrels, read_run, write_qrels, write_run
from harness.errors import DataError
from harness.records import Document, Run
from harness.scoring.measures import score

IDS = ("d10", "d2", "a\u00a0b", "ü")  # the third holds a no-break space, which is no separator here
QUERIES = ("q1", "q2", "q3")


@pytest.fixture
def corpus(tmp_path: Path) -> ArrowCorpus:
    return build_corpus((Document(id=name, text="x") for name in IDS), tmp_path / "corpus")


def write(tmp_path: Path, *lines: str | bytes) -> Path:
    path = tmp_path / "some.run"
    path.write_bytes(b"".join(line if isinstance(line, bytes) else f"{line}\n".encode() for line in lines))
    return path


def test_ranks_are_ignored_and_ties_broken_by_id_and_missing_queries_are_empty(corpus, tmp_path: Path) -> None:
    path = write(
        tmp_path, "q3 Q0 d10 1 0.5 x", "q1 Q0 d10 1 2 x", "q3\tQ0\tü\t2\t7e-1\tx", "q1 Q0 d2 2 2.0 x", "q1 0 ü 9 -3 y"
    )
    run = read_run(path, QUERIES, corpus)
    assert run.query_ids == QUERIES
    assert run.rows.tolist() == [[1, 0, 3], [-1, -1, -1], [3, 0, -1]]  # "d2" > "d10"
    assert run.scores[0].tolist() == [2.0, 2.0, -3.0]
    assert run.scores[1].tolist() == [-math.inf] * 3
    assert read_run(path, QUERIES, corpus, depth=1).rows.tolist() == [[1], [-1], [3]]
    values = score(run, make_qrels({q: {"d10": 1} for q in QUERIES}, corpus), corpus, ["RR"])["RR"]
    assert values.tolist() == [0.5, 0.0, 0.5]


def test_what_is_written_reads_back_the_same(corpus, tmp_path: Path) -> None:
    scores = np.array([[math.pi * 1e7, 1 / 3, 1e-38], [-0.1, -math.inf, -math.inf], [-math.inf] * 3], np.float32)
    run = Run(query_ids=QUERIES, rows=np.array([[2, 0, 1], [3, -1, -1], [-1, -1, -1]], np.int32), scores=scores)
    path = tmp_path / "written.run"
    write_run(run, corpus.ids, path, "tag")
    assert path.read_text(encoding="utf-8").splitlines()[0] == "q1 Q0 a\u00a0b 1 31415926 tag"
    read = read_run(path, QUERIES, corpus)
    assert np.array_equal(read.rows, run.rows)
    assert np.array_equal(read.scores, run.scores)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("q1 Q0 d2 1 2.0", "5 columns"),
        ("q1 Q0 d2 1 2.0 tag extra", "7 columns"),
        ("", "0 columns"),
        ("q1 Q0 d2 1 high tag", "'high'"),
        ("q1 Q0 d2 1 nan tag", "nan"),
        ("q1 Q0 d2 1 inf tag", "inf"),
        ("q1 Q0 d2 1 1e39 tag", "inf"),  # too large for a float32
        ("q9 Q0 d2 1 2.0 tag", "query of the split.*'q9'"),
        ("q1 Q0 D2 1 2.0 tag", "document of the corpus.*'D2'"),
        ("q1 Q0 ü 9 0.1 tag", "line 1 again"),
        (b"q1 Q0 \xff 1 2.0 tag\n", "UTF-8"),
    ],
)
def test_malformed_run_lines_are_named(corpus, tmp_path: Path, line: str | bytes, fault: str) -> None:
    path = write(tmp_path, "q1 Q0 ü 1 9.5 tag", "q2 Q0 ü 1 9.5 tag", line, "q3 Q0 ü 1 9.5 tag")
    with pytest.raises(DataError, match=rf"some\.run:3: .*({fault})"):
        read_run(path, QUERIES, corpus)


def test_of_several_duplicates_the_first_is_named(corpus, tmp_path: Path) -> None:
    lines = ["q2 Q0 ü 1 3 t", "q1 Q0 d2 1 3 t", "q2 Q0 d2 1 3 t", "q2 Q0 ü 1 1 t", "q1 Q0 d2 1 3 t", "q1 Q0 d2 1 3 t"]
    with pytest.raises(DataError, match=r"some\.run:4: .*line 1 again"):
        read_run(write(tmp_path, *lines), QUERIES, corpus)


def test_empty_files_are_refused(corpus, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="empty"):
        read_run(write(tmp_path), QUERIES, corpus)
    with pytest.raises(DataError, match="empty"):
        read_qrels(write(tmp_path))


@pytest.mark.parametrize("name", ["a b", "", "a\tb", "a\n", " a"])
def test_names_that_the_format_cannot_hold_are_refused(tmp_path: Path, name: str) -> None:
    run = Run(query_ids=("q",), rows=np.array([[0]], np.int32), scores=np.array([[1]], np.float32))
    with pytest.raises(DataError, match="white space"):
        write_run(run, [name], tmp_path / "a", "tag")
    with pytest.raises(DataError, match="white space"):
        write_run(run, ["d"], tmp_path / "a", name)
    with pytest.raises(DataError, match="white space"):
        write_qrels({name: {"d": 1}}, tmp_path / "a")
    with pytest.raises(DataError, match="white space"):
        write_qrels({"q": {name: 1}}, tmp_path / "a")


def test_qrels_read_back_the_same(tmp_path: Path) -> None:
    judged = {"q2": {"ü": 3, "d1": -2}, "q1": {"a\u00a0b": 0}}
    write_qrels(judged, tmp_path / "qrels")
    assert (tmp_path / "qrels").read_text(encoding="utf-8").splitlines()[1] == "q2 0 d1 -2"
    assert read_qrels(tmp_path / "qrels") == judged
    assert list(read_qrels(tmp_path / "qrels")) == ["q2", "q1"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("q1 0 d2", "3 columns"),
        ("q1 0 d2 1 1", "5 columns"),
        ("q1 0 d2 1.0", "'1.0'"),
        ("q1 0 d2 yes", "'yes'"),
        ("q1 0 d1 2", "'q1' and 'd1' again"),
        (b"q1 0 \xc3 1\n", "UTF-8"),
    ],
)
def test_malformed_qrels_lines_are_named(tmp_path: Path, line: str | bytes, fault: str) -> None:
    with pytest.raises(DataError, match=rf"some\.run:2: .*{fault}"):
        read_qrels(write(tmp_path, "q1 0 d1 1", line))

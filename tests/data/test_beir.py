"""Folders in BEIR layout: what is read, and what is refused with file and line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.data.beir import BeirSource
from harness.data.task import SourceTask
from harness.errors import DataError, TaskNotFound
from harness.records import Document, Query, Turn

CORPUS = [
    {"_id": "d1", "title": "Cats", "text": "They purr."},
    {"_id": "d2", "text": "Dogs bark."},
    {"_id": "d3", "title": None, "text": "", "metadata": {"url": "x"}},
]
QUERIES = [{"_id": "q1", "text": "purring"}, {"_id": "q2", "text": "barking"}, {"_id": "q3", "text": "silence"}]
QRELS = "query-id\tcorpus-id\tscore\nq2\td2\t2\nq1\td1\t1\nq2\td1\t0\nq3\td3\t0\n"


def jsonl(records: list[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def write(folder: Path, **files: str | bytes) -> Path:
    """A good folder, some of its files replaced: `corpus`, `queries`, or a split."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    content: dict[str, str | bytes] = {"corpus": jsonl(CORPUS), "queries": jsonl(QUERIES), "test": QRELS} | files
    for name, text in content.items():
        path = folder / f"{name}.jsonl" if name in ("corpus", "queries") else folder / "qrels" / f"{name}.tsv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def opened(folder: Path) -> SourceTask:
    return SourceTask(BeirSource(folder, "mine"))


def judged(task: SourceTask, split: str = "test") -> dict[str, dict[str, int]]:
    qrels, ids = task.qrels(split), task.corpus().ids
    return {
        query: {ids[int(row)]: int(grade) for row, grade in zip(*qrels.of(i), strict=True)}
        for i, query in enumerate(qrels.query_ids)
    }


def test_documents_queries_and_judgements_are_read_as_written(tmp_path: Path):
    task = opened(write(tmp_path / "mine"))
    corpus = task.corpus()
    assert [corpus[row] for row in range(len(corpus))] == [
        Document(id="d1", title="Cats", text="They purr."),
        Document(id="d2", text="Dogs bark."),
        Document(id="d3", text=""),
    ]
    assert judged(task) == {"q2": {"d2": 2, "d1": 0}, "q1": {"d1": 1}}
    assert task.queries("test") == (Query(id="q2", text="barking"), Query(id="q1", text="purring"))
    assert task.dropped("test") == 1  # q3 has grade 0 only


@pytest.mark.parametrize(
    "qrels",
    [
        "q2\td2\t2\nq1\td1\t1\nq2\td1\t0\n",  # no header
        "qid\tdid\tgrade\nq2\td2\t2\nq1\td1\t1\nq2\td1\t0",  # another header, no end of the last line
        QRELS.replace("\n", "\r\n"),  # Windows
        "query-id\tcorpus-id\tscore\nq2\td2\t+2\nq1\td1\t 1 \nq1\td1\t1\nq2\td1\t0\n",  # sign, blanks, a line twice
    ],
)
def test_qrels_files_as_they_are_found_in_the_wild(tmp_path: Path, qrels: str):
    assert judged(opened(write(tmp_path / "mine", test=qrels))) == {"q2": {"d2": 2, "d1": 0}, "q1": {"d1": 1}}


def test_queries_take_their_fields_from_metadata(tmp_path: Path):
    metadata = {
        "history": [{"role": "user", "text": "Hello"}, {"role": "assistant", "text": "Hi"}],
        "instruction": "Find answers",
        "language": "de",
        "terms": {"purr": 2, "cat": 0.5},
        "vector": [1, 0.5],
        "url": "left alone",
    }
    folder = write(tmp_path / "mine", queries=jsonl([{**QUERIES[0], "metadata": metadata}, *QUERIES[1:]]))
    _, query = opened(folder).queries("test")
    assert query == Query(
        id="q1",
        text="purring",
        history=(Turn(role="user", text="Hello"), Turn(role="assistant", text="Hi")),
        instruction="Find answers",
        language="de",
        terms={"purr": 2.0, "cat": 0.5},
        vector=(1.0, 0.5),
    )


@pytest.mark.parametrize(
    ("texts", "roles"),
    [
        (["a"], ["assistant"]),
        (["a", "b"], ["user", "assistant"]),
        (["a", "b", "c"], ["assistant", "user", "assistant"]),
    ],
)
def test_a_history_of_texts_alternates_back_from_the_query(tmp_path: Path, texts: list[str], roles: list[str]):
    queries = jsonl([{**QUERIES[0], "metadata": {"history": texts}}, *QUERIES[1:]])
    query = opened(write(tmp_path / "mine", queries=queries)).queries("test")[1]
    assert [(turn.role, turn.text) for turn in query.history] == list(zip(roles, texts, strict=True))


@pytest.mark.parametrize(
    ("names", "order", "main"),
    [
        (["test", "train", "dev"], ("train", "dev", "test"), "test"),
        (["train", "dev"], ("train", "dev"), "dev"),
        (["train", "odd"], ("train", "odd"), "train"),
        (["b", "a"], ("a", "b"), "a"),
    ],
)
def test_splits_and_the_one_that_is_evaluated(tmp_path: Path, names: list[str], order: tuple[str, ...], main: str):
    folder = write(tmp_path / "mine", **dict.fromkeys(names, QRELS))
    if "test" not in names:
        (folder / "qrels" / "test.tsv").unlink()
    (folder / "qrels" / ".hidden.tsv").write_text("")
    facts = BeirSource(folder, "mine").facts
    assert (facts.splits, facts.split) == (order, main)


def test_training_examples_have_positives_and_negatives(tmp_path: Path):
    task = opened(write(tmp_path / "mine", train=QRELS))
    assert [(e.query.id, e.positives, e.negatives) for e in task.examples()] == [("q2", (1,), (0,)), ("q1", (0,), ())]
    assert opened(write(tmp_path / "other")).examples() == ()


BROKEN: list[tuple[str, dict[str, str | bytes], str]] = [
    # what is wrong, the file that is, where it is found
    ("document id twice", {"corpus": jsonl([*CORPUS, CORPUS[0]])}, "corpus.jsonl:4"),
    ("document id empty", {"corpus": jsonl([{"_id": "", "text": "x"}])}, "corpus.jsonl:1"),
    ("document id missing", {"corpus": jsonl([CORPUS[0], {"text": "x"}])}, "corpus.jsonl:2"),
    ("document id a number", {"corpus": jsonl([{"_id": 7, "text": "x"}])}, "corpus.jsonl:1"),
    ("document id null", {"corpus": jsonl([{"_id": None, "text": "x"}])}, "corpus.jsonl:1"),
    ("document id with a tab", {"corpus": jsonl([{"_id": "a\tb", "text": "x"}])}, "corpus.jsonl:1"),
    ("document id with a blank at its end", {"corpus": jsonl([{"_id": "a ", "text": "x"}])}, "corpus.jsonl:1"),
    ("document id with NUL", {"corpus": jsonl([{"_id": "a\0", "text": "x"}])}, "corpus.jsonl:1"),
    ("document without text", {"corpus": jsonl([*CORPUS, {"_id": "d4", "title": "x"}])}, "corpus.jsonl:4"),
    ("text null", {"corpus": jsonl([{"_id": "d1", "text": None}])}, "corpus.jsonl:1"),
    ("text a list", {"corpus": jsonl([{"_id": "d1", "text": ["x"]}])}, "corpus.jsonl:1"),
    ("title a number", {"corpus": jsonl([{"_id": "d1", "title": 1, "text": "x"}])}, "corpus.jsonl:1"),
    ("invalid UTF-8", {"corpus": jsonl(CORPUS).encode() + b'{"_id": "d4", "text": "\xff"}\n'}, "corpus.jsonl:4"),
    ("byte order mark", {"corpus": b"\xef\xbb\xbf" + jsonl(CORPUS).encode()}, "corpus.jsonl:1"),
    ("UTF-16", {"corpus": jsonl(CORPUS).encode("utf-16")}, "corpus.jsonl:1"),
    ("invalid JSON", {"corpus": jsonl(CORPUS) + '{"_id": "d4", "text": "x"\n'}, "corpus.jsonl:4"),
    ("two objects on a line", {"corpus": '{"_id": "a", "text": ""}{"_id": "b", "text": ""}\n'}, "corpus.jsonl:1"),
    ("no object", {"corpus": '["d1", "x"]\n'}, "corpus.jsonl:1"),
    ("nested beyond reason", {"corpus": "[" * 200_000 + "\n"}, "corpus.jsonl:1"),
    ("blank line", {"corpus": jsonl(CORPUS) + "\n" + jsonl([{"_id": "d4", "text": "x"}])}, "corpus.jsonl:4"),
    ("half a surrogate pair", {"corpus": '{"_id": "d1", "text": "\\ud83d"}\n'}, "corpus.jsonl:1"),
    ("no document", {"corpus": ""}, "no documents"),
    ("query id twice", {"queries": jsonl([*QUERIES, QUERIES[1]])}, "queries.jsonl:4"),
    ("query id empty", {"queries": jsonl([{"_id": "", "text": "x"}])}, "queries.jsonl:1"),
    ("query without text", {"queries": jsonl([{"_id": "q1"}])}, "queries.jsonl:1"),
    ("query of blanks", {"queries": jsonl([QUERIES[0], {"_id": "q2", "text": " \n"}])}, "queries.jsonl:2"),
    ("query with NUL", {"queries": jsonl([{"_id": "q1", "text": "a\0b"}])}, "queries.jsonl:1"),
    ("metadata a list", {"queries": jsonl([{**QUERIES[0], "metadata": []}])}, "queries.jsonl:1"),
    ("history a text", {"queries": jsonl([{**QUERIES[0], "metadata": {"history": "x"}}])}, "queries.jsonl:1"),
    ("history of numbers", {"queries": jsonl([{**QUERIES[0], "metadata": {"history": [1]}}])}, "queries.jsonl:1"),
    (
        "history of an unknown role",
        {"queries": jsonl([{**QUERIES[0], "metadata": {"history": [{"role": "bot", "text": "x"}]}}])},
        "queries.jsonl:1",
    ),
    ("instruction a number", {"queries": jsonl([{**QUERIES[0], "metadata": {"instruction": 1}}])}, "queries.jsonl:1"),
    ("terms a list", {"queries": jsonl([{**QUERIES[0], "metadata": {"terms": ["x"]}}])}, "queries.jsonl:1"),
    (
        "a weight that is true",
        {"queries": jsonl([{**QUERIES[0], "metadata": {"terms": {"x": True}}}])},
        "queries.jsonl:1",
    ),
    (
        "vector with NaN",
        {"queries": jsonl([{**QUERIES[0], "metadata": {"vector": [float("nan")]}}])},
        "queries.jsonl:1",
    ),
    ("no query", {"queries": ""}, "test.tsv:2"),
    ("judgement of an unknown query", {"test": QRELS + "q9\td1\t1\n"}, "test.tsv:6"),
    ("judgement of an unknown document", {"test": QRELS + "q1\td9\t1\n"}, "test.tsv:6"),
    ("grade a word", {"test": QRELS + "q1\td2\thigh\n"}, "test.tsv:6"),
    ("grade a fraction", {"test": QRELS + "q1\td2\t0.5\n"}, "test.tsv:6"),
    ("grade empty", {"test": QRELS + "q1\td2\t\n"}, "test.tsv:6"),
    ("grade too large", {"test": QRELS + "q1\td2\t3000000000\n"}, "test.tsv:6"),
    ("two grades for one pair", {"test": QRELS + "q1\td1\t2\n"}, "test.tsv:6"),
    ("two columns", {"test": QRELS + "q1\td1\n"}, "test.tsv:6"),
    ("four columns, as TREC has", {"test": "q1\t0\td1\t1\n"}, "test.tsv:1"),
    ("blanks instead of tabs", {"test": "q1 d1 1\n"}, "test.tsv:1"),
    ("an unknown header", {"test": "topic\tdoc\trel\nq1\td1\t1\n"}, "test.tsv:1"),
    ("blank line in qrels", {"test": QRELS + "\n"}, "test.tsv:6"),
    ("invalid UTF-8 in qrels", {"test": QRELS.encode() + b"q1\t\xff\t1\n"}, "test.tsv:6"),
    ("no judgement", {"test": "query-id\tcorpus-id\tscore\n"}, "split test"),
    ("nothing relevant", {"test": "q1\td1\t0\nq2\td1\t-1\n"}, "split test"),
]


@pytest.mark.parametrize(("files", "where"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_malformed_data_is_refused_with_file_and_line(tmp_path: Path, files: dict[str, str | bytes], where: str):
    task = opened(write(tmp_path / "mine", **files))
    with pytest.raises(DataError) as caught:
        task.qrels("test")
    assert where in str(caught.value)
    assert str(tmp_path) not in str(caught.value)  # errors are stored and published: no path of this machine


def test_an_id_that_comes_twice_is_told_with_both_lines(tmp_path: Path):
    with pytest.raises(DataError, match=r"corpus.jsonl:4: .* first on line 2"):
        opened(write(tmp_path / "mine", corpus=jsonl([*CORPUS, CORPUS[1]]))).corpus()


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str):
    folder = write(tmp_path / "mine")
    (folder / missing).unlink()
    with pytest.raises(TaskNotFound, match=missing.replace("test", "<split>")):
        BeirSource(folder, "mine")


@pytest.mark.parametrize("name", ["nfcorpus", "medquad", "climate-fever-sent", "cranfield", "mtrag-un", "xquad-zh"])
def test_real_folders_have_the_counts_that_their_sources_state(data: Path, name: str):
    """SOURCE.md: `- documents: 3633`, `- test: 323 judged queries (323 with at least one relevant document), …`."""
    folder = data / name
    task, text = opened(folder), (folder / "SOURCE.md").read_text()
    documents = re.search(r"^- documents: (\d+)", text, re.M)
    assert documents is not None
    assert len(task.corpus()) == int(documents[1])
    for split in task.facts.splits:
        stated = re.search(rf"^- {split}: (\d+) judged queries \((\d+) with .*?\), (\d+) judgements", text, re.M)
        assert stated is not None
        queries, relevant, judgements = map(int, stated.groups())
        assert len(task.queries(split)) == len(task.qrels(split)) == relevant
        assert task.dropped(split) == queries - relevant
        assert queries > relevant or len(task.qrels(split).rows) == judgements

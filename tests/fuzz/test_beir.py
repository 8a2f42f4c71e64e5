"""A folder in BEIR layout is read as it says, or refused by file and line."""

import json
from pathlib import Path

import pytest
from hypothesis import strategies as st

from harness.plugins import registry
from harness.tasks import open_task

pytestmark = pytest.mark.timeout(3600)


def _lines(records: list[dict]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


TURNS = [{"role": "user", "text": "before"}, {"role": "assistant", "text": "said"}]
DOCUMENTS = [{"_id": f"d{n}", "title": f"Title {n}", "text": f"some text of number {n} – ä 第"} for n in range(6)]
QUERIES = [
    {"_id": "q1", "text": "first question"},
    {"_id": "q2", "text": "second", "metadata": {"history": ["a", "b"], "instruction": "find", "language": "en"}},
    {"_id": "q3", "text": "third", "metadata": {"terms": {"a": 1.5, "b": 2}, "vector": [0.5, -1], "history": TURNS}},
]
JUDGED = b"query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\nq2\td3\t2\nq3\td4\t1\n"
SOURCE = b"# A collection\n\nLicence: CC0\nLanguages: en, de\nExclude self: no\nCitation: nobody\n"
FILES = {
    "corpus.jsonl": _lines(DOCUMENTS),
    "queries.jsonl": _lines(QUERIES),
    "qrels/test.tsv": JUDGED,
    "qrels/train.tsv": JUDGED,
    "SOURCE.md": SOURCE,
}


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@st.composite
def folders(draw, mutations) -> dict[str, bytes]:
    """The files with one or two of them spoiled at any byte, or a record of them bent."""
    files = dict(FILES)
    for name in draw(st.lists(st.sampled_from(sorted(FILES)), min_size=1, max_size=2)):
        records = {"corpus.jsonl": DOCUMENTS, "queries.jsonl": QUERIES}.get(name)
        if records and draw(st.booleans()):
            place = draw(st.integers(0, len(records) - 1))
            lines = [*map(mutations.json_line, records)]
            lines[place] = mutations.json_line(draw(mutations.bent(records[place])))
            files[name] = b"\n".join(lines) + b"\n"
        else:
            files[name] = draw(mutations.spoiled(files[name]))
    return files


def check_read(task, files: dict[str, bytes]) -> None:
    """What was read is what stands in the files."""
    corpus = task.corpus()
    documents = [json.loads(line) for line in files["corpus.jsonl"].decode().split("\n") if line.strip("\r")]
    assert list(corpus.ids) == [document["_id"] for document in documents]
    assert [corpus[row].text for row in range(len(corpus))] == [document["text"] for document in documents]
    for split in task.facts.splits:
        qrels, queries = task.qrels(split), task.queries(split)
        assert tuple(query.id for query in queries) == qrels.query_ids
        assert qrels.rows.min() >= 0
        assert qrels.rows.max() < len(corpus)
        assert all((qrels.of(place)[1] > 0).any() for place in range(len(qrels)))
        assert len(task.fingerprint(split)) == 64
    assert len(task.examples()) == (len(task.qrels("train")) if "train" in task.facts.splits else 0)


def test_the_files_as_they_are_can_be_read(scratch, monkeypatch):
    root = scratch.fresh()
    monkeypatch.setenv("HARNESS_DATA", str(root / "data"))
    put(root / "data" / "tiny", FILES)
    check_read(open_task(registry(), "tiny"), FILES)


def test_spoiled_folders(fuzz, mutations, scratch, monkeypatch):
    known = registry()

    def take(files: dict[str, bytes]) -> None:
        root = scratch.fresh()
        monkeypatch.setenv("HARNESS_DATA", str(root / "data"))
        put(root / "data" / "tiny", files)
        try:
            check_read(open_task(known, "tiny"), files)
        finally:
            left = [path for path in (root / "home").rglob("*") if path.name.startswith((".work-", ".corpus-"))]
            assert left == [], "half of something is left"

    fuzz("BEIR folder", folders(mutations), take)

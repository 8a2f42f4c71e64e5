"""Tasks over a source: what is read once and kept, what is read anew, and what a fingerprint depends on."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.contracts import Task, TaskFacts
from harness.data.beir import BeirSource
from harness.data.corpus import ArrowCorpus
from harness.data.kept import workplace
from harness.data.memory import memory_task
from harness.data.split import Split
from harness.data.task import SourceTask
from harness.errors import ConfigError, DataError
from harness.records import Document, Query, Turn
from tests.conftest import PATIENCE

FACTS = TaskFacts(name="toy", summary="For tests.", splits=("train", "test"))
DOCUMENTS = (Document(id="d1", text="a"), Document(id="d2", text="b", title="B"), Document(id="d3", text="c"))
QUERIES = (
    Query(id="q1", text="one", history=(Turn(role="user", text="x"),), terms={"a": 0.5}, vector=(0.5, 1.0)),
    Query(id="q2", text="two", instruction="i", language="de"),
    Query(id="q3", text="three"),
)
JUDGED: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    "test": {"q3": {"d1": 0}, "q2": {"d3": 1, "d1": 0}, "q1": {"d2": 2}},
    "train": {"q3": {"d3": 1, "d2": -1, "d1": 1}},
}


class Counting:
    """A source that counts how often it is read."""

    facts = FACTS

    def __init__(self, identity: str = "v1", documents: Iterable[Document] = DOCUMENTS) -> None:
        self.identity, self.reads = identity, 0
        self._documents = tuple(documents)

    def documents(self) -> Iterable[Document]:
        self.reads += 1
        return self._documents

    def split(self, name: str, corpus: ArrowCorpus) -> Split:
        self.reads += 1
        return Split(queries=QUERIES, judged=JUDGED[name], candidates={"q1": ["d3", "d2"], "q2": ["d1"]})


def task(folder: Path, **changes: Any) -> Task:
    values: dict[str, Any] = {"documents": DOCUMENTS, "queries": QUERIES, "judged": JUDGED} | changes
    return memory_task(FACTS, values["documents"], values["queries"], values["judged"], folder)


def test_queries_are_those_with_a_relevant_document_in_the_order_of_the_judgements(tmp_path: Path):
    toy = task(tmp_path)
    assert isinstance(toy, SourceTask)
    assert toy.queries("test") == (QUERIES[1], QUERIES[0])
    qrels = toy.qrels("test")
    assert (qrels.query_ids, qrels.offsets.tolist()) == (("q2", "q1"), [0, 2, 3])
    assert (qrels.rows.tolist(), qrels.grades.tolist()) == ([2, 0, 1], [1, 0, 2])
    assert (toy.dropped("test"), toy.dropped("train")) == (1, 0)
    assert [(e.query, e.positives, e.negatives) for e in toy.examples()] == [(QUERIES[2], (2, 0), (1,))]


def test_what_was_read_is_kept_for_the_next_process(tmp_path: Path):
    first, again = Counting(), Counting()
    old, new = SourceTask(first, tmp_path), SourceTask(again, tmp_path)
    old.fingerprint("test")
    assert first.reads == 2
    assert new.queries("test") == (QUERIES[1], QUERIES[0])  # every field survives the way to disk and back
    assert new.fingerprint("test") == old.fingerprint("test")
    assert new.qrels("test").rows.tolist() == old.qrels("test").rows.tolist()
    assert new.corpus()[1] == DOCUMENTS[1]
    assert again.reads == 0


def test_another_identity_is_read_anew(tmp_path: Path):
    SourceTask(Counting(), tmp_path).corpus()
    changed = SourceTask(Counting("v2", DOCUMENTS[:2]), tmp_path)
    assert list(changed.corpus().ids) == ["d1", "d2"]


def test_a_source_that_cannot_tell_its_identity_is_read_every_time(tmp_path: Path):
    SourceTask(Counting(""), tmp_path).fingerprint("test")
    changed = Counting("", DOCUMENTS[::-1])
    assert SourceTask(changed, tmp_path).corpus()[0] == DOCUMENTS[2]


def test_equal_content_from_two_sources_is_one_folder(tmp_path: Path):
    one, other = SourceTask(Counting("v1"), tmp_path), SourceTask(Counting("v2"), tmp_path)
    assert one.corpus().folder == other.corpus().folder == tmp_path / one.corpus().fingerprint
    assert one.fingerprint("test") == other.fingerprint("test")


def test_a_deleted_corpus_is_built_again(tmp_path: Path):
    folder = SourceTask(Counting(), tmp_path).corpus().folder
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert len(SourceTask(Counting(), tmp_path).corpus()) == 3


def test_a_damaged_file_is_named(tmp_path: Path):
    SourceTask(Counting(), tmp_path).fingerprint("test")
    (kept,) = tmp_path.glob("tasks/*/*-test.json")
    kept.write_text(kept.read_text()[:-9])
    with pytest.raises(DataError, match=r"test\.json"):
        SourceTask(Counting(), tmp_path).queries("test")


def test_nothing_is_left_of_a_source_that_fails(tmp_path: Path):
    def failing() -> Iterable[Document]:
        yield DOCUMENTS[0]
        raise DataError("line 2")

    source = Counting()
    source.documents = failing  # type: ignore[method-assign]
    with pytest.raises(DataError):
        SourceTask(source, tmp_path).corpus()
    assert list(tmp_path.iterdir()) == []


def test_candidates_are_a_run_in_the_order_given(tmp_path: Path):
    candidates = SourceTask(Counting(), tmp_path).candidates("test")
    assert candidates is not None
    assert candidates.query_ids == ("q2", "q1")
    assert candidates.rows.tolist() == [[0, -1], [2, 1]]
    assert candidates.scores.tolist() == [[0, -np.inf], [0, -1]]


def test_leftovers_of_a_killed_process_go_and_those_of_a_living_one_stay(tmp_path: Path):
    (tmp_path / ".work-killed").mkdir()
    (tmp_path / ".work-killed" / "half").write_text("x")
    with workplace(tmp_path) as living:
        SourceTask(Counting(), tmp_path).fingerprint("test")
        assert [path.name for path in tmp_path.glob(".work-*")] == [living.name]
    assert not list(tmp_path.rglob(".work-*"))


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"judged": {**JUDGED, "test": {**JUDGED["test"], "q2": {"d1": 0, "d3": 1}}}}, True),  # order within a query
        ({"judged": {**JUDGED, "train": {"q3": {"d1": 1}}}}, True),  # another split
        ({"queries": (*QUERIES[:2], Query(id="q3", text="not in this split"))}, True),
        ({"documents": (Document(id="d1", text="A"), *DOCUMENTS[1:])}, False),
        ({"documents": (*DOCUMENTS, Document(id="d4", text=""))}, False),
        ({"documents": (Document(id="d1", title="a", text=""), *DOCUMENTS[1:])}, False),
        ({"queries": (dataclasses.replace(QUERIES[0], text="One"), *QUERIES[1:])}, False),
        ({"queries": (dataclasses.replace(QUERIES[0], history=()), *QUERIES[1:])}, False),
        ({"queries": (dataclasses.replace(QUERIES[0], terms=None), *QUERIES[1:])}, False),
        ({"queries": (dataclasses.replace(QUERIES[0], vector=(0.5, 2.0)), *QUERIES[1:])}, False),
        ({"queries": (QUERIES[0], dataclasses.replace(QUERIES[1], instruction="j"), QUERIES[2])}, False),
        ({"queries": (QUERIES[0], dataclasses.replace(QUERIES[1], language="en"), QUERIES[2])}, False),
        ({"judged": {**JUDGED, "test": {**JUDGED["test"], "q2": {"d3": 2, "d1": 0}}}}, False),
        ({"judged": {**JUDGED, "test": {**JUDGED["test"], "q2": {"d3": 1}}}}, False),
        ({"judged": {**JUDGED, "test": {"q1": {"d2": 2}, "q2": {"d3": 1, "d1": 0}}}}, False),  # order of queries
    ],
)
def test_a_fingerprint_is_that_of_the_content(tmp_path: Path, change: dict[str, Any], same: bool):
    equal = task(tmp_path, **change).fingerprint("test") == task(tmp_path).fingerprint("test")
    assert equal == same


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"documents": ()}, "no documents"),
        ({"documents": (*DOCUMENTS, DOCUMENTS[0])}, "'d1' comes twice"),
        ({"queries": (*QUERIES, QUERIES[1])}, "'q2' comes twice"),
        ({"queries": QUERIES[:1]}, "'q3', which is not among the queries"),
        ({"queries": (*QUERIES[:2], Query(id="q3", text=" "))}, "'q3' has no text"),
        ({"judged": {**JUDGED, "test": {"q1": {"d9": 1}}}}, "'d9', not in the corpus"),
        ({"judged": {**JUDGED, "test": {"q1": {"d1": 0}}}}, "no query has a relevant document"),
        ({"judged": {"test": {"q1": {"d1": 1}}}}, "expected judgements of train, test"),
    ],
)
def test_content_that_contradicts_itself_is_refused(tmp_path: Path, change: dict[str, Any], message: str):
    with pytest.raises(DataError, match=message):
        task(tmp_path, **change).fingerprint("test")


@pytest.mark.parametrize(
    "candidates", [{"q1": ["d1"]}, {"q1": ["d1"], "q2": ["d1", "d1"]}, {"q1": ["d9"], "q2": ["d1"]}]
)
def test_candidates_that_are_missing_repeated_or_unknown_are_refused(tmp_path: Path, candidates: dict[str, list[str]]):
    source = Counting()
    source.split = lambda name, corpus: Split(queries=QUERIES, judged=JUDGED["test"], candidates=candidates)  # type: ignore
    with pytest.raises(DataError, match="candidate"):
        SourceTask(source, tmp_path).candidates("test")


def test_a_split_that_is_not_there_is_named_beside_those_that_are(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"'dev'.*train, test"):
        task(tmp_path).queries("dev")


def test_a_query_may_have_terms_or_a_vector_instead_of_text(tmp_path: Path):
    queries = (Query(id="q1", text="", vector=(1.0,)), Query(id="q2", text="", terms={"a": 1.0}), QUERIES[2])
    assert len(task(tmp_path, queries=queries).queries("test")) == 2


def write_folder(folder: Path, documents: int = 3) -> Path:
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"_id": f"d{i}", "text": f"text {i}"}) for i in range(documents)]
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "one"}\n')
    (folder / "qrels" / "test.tsv").write_text("q1\td1\t1\n")
    return folder


@pytest.mark.parametrize(
    ("changed", "old", "new"),
    [("corpus.jsonl", "text 0", "text 9"), ("queries.jsonl", "one", "two"), ("qrels/test.tsv", "d1", "d2")],
)
def test_a_folder_is_read_again_when_one_of_its_files_changed(tmp_path: Path, changed: str, old: str, new: str):
    folder = write_folder(tmp_path / "mine")
    before = SourceTask(BeirSource(folder, "mine"), tmp_path).fingerprint("test")
    path = folder / changed
    path.write_text(path.read_text().replace(old, new))  # of the same length: only its time tells
    assert SourceTask(BeirSource(folder, "mine"), tmp_path).fingerprint("test") != before


OPEN = """
import sys
from pathlib import Path
from harness.data.beir import BeirSource
from harness.data.task import SourceTask
task = SourceTask(BeirSource(Path(sys.argv[1]), "mine"))
print(task.fingerprint("test"), task.corpus().folder.name)
"""


def test_processes_that_open_a_task_at_once_agree_and_leave_one_corpus(tmp_path: Path, own_home: Path):
    folder = write_folder(tmp_path / "mine", documents=20_000)
    command = [sys.executable, "-c", OPEN, str(folder)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) for _ in range(3)]
    printed = {process.communicate(timeout=PATIENCE)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(printed) == 1
    corpus = printed.pop().split()[1]
    assert sorted(path.name for path in (own_home / "data").iterdir()) == sorted([corpus, "tasks"])

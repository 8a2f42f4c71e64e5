"""`irds:<id>` over data sets registered here, from files: nothing is downloaded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.errors import DataError, TaskNotFound
from harness.plugins import registry
from harness.records import Document, Query
from harness.tasks import open_task

ir_datasets = pytest.importorskip("ir_datasets")


class Paper(NamedTuple):
    """A document type as data sets define their own."""

    doc_id: str
    title: str
    abstract: str

    def default_text(self) -> str:
        return f"{self.title} {self.abstract}"


@pytest.fixture
def register() -> Iterator[Any]:
    """Registers a data set for one test."""
    added: list[str] = []

    def add(name: str, *parts: Any) -> None:
        ir_datasets.registry.register(name, ir_datasets.Dataset(*parts))
        added.append(name)

    yield add
    for name in added:
        del ir_datasets.registry._registered[name]  # the library has no way to take one back


def files(folder: Path, qrels: str = "q2 0 d3 2\nq1 0 d1 1\nq2 0 d1 0\nq3 0 d1 0\n") -> Any:
    (folder / "docs.tsv").write_text("d1\tone\nd2\ttwo\nd3\tthree\n")
    (folder / "queries.tsv").write_text("q1\tfirst\nq2\tsecond\nq3\tthird\n")
    (folder / "qrels.txt").write_text(qrels)
    names = {"docs_tsv": "docs.tsv", "queries_tsv": "queries.tsv", "qrels_trec": "qrels.txt"}
    return ir_datasets.create_dataset(**{key: str(folder / name) for key, name in names.items()})


def test_a_data_set_from_files(register: Any, tmp_path: Path):
    register("toys/small", files(tmp_path))
    task = open_task(registry(), "irds:toys/small")
    assert (task.facts.name, task.facts.splits) == ("irds:toys/small", ("test",))
    assert [task.corpus()[row] for row in range(3)] == [
        Document(id="d1", text="one"), Document(id="d2", text="two"), Document(id="d3", text="three")
    ]  # fmt: skip
    assert task.queries("test") == (Query(id="q2", text="second"), Query(id="q1", text="first"))
    qrels = task.qrels("test")
    assert (qrels.rows.tolist(), qrels.grades.tolist()) == ([2, 0, 0], [2, 0, 1])


def test_what_somebody_registered_is_read_anew_each_time(register: Any, tmp_path: Path):
    register("toys/changing", files(tmp_path))
    before = open_task(registry(), "irds:toys/changing").fingerprint("test")
    (tmp_path / "queries.tsv").write_text("q1\tchanged\nq2\tsecond\nq3\tthird\n")
    assert open_task(registry(), "irds:toys/changing").fingerprint("test") != before


def test_splits_are_found_below_an_id(register: Any, tmp_path: Path):
    docs = files(tmp_path)
    register("toys/parts", docs.docs_handler())
    register("toys/parts/train", docs)
    register("toys/parts/dev", docs)
    task = open_task(registry(), "irds:toys/parts")
    assert (task.facts.splits, task.facts.split) == (("train", "dev"), "dev")
    assert len(task.examples()) == 2
    assert open_task(registry(), "irds:toys/parts/dev").facts.splits == ("dev",)


def test_the_text_of_any_document_type_is_its_own_default_text(register: Any, tmp_path: Path):
    base = files(tmp_path)

    class Papers(ir_datasets.formats.BaseDocs):
        def docs_iter(self) -> Iterator[Paper]:
            yield from (Paper("d1", "Title", "abstract"), Paper("d2", "", "abstract alone"), Paper("d3", "Only", ""))

        def docs_cls(self) -> type:
            return Paper

        def docs_lang(self) -> str:
            return "en"

    register("toys/papers", Papers(), base.queries_handler(), base.qrels_handler())
    task = open_task(registry(), "irds:toys/papers")
    assert task.facts.languages == ("en",)
    corpus = task.corpus()
    assert corpus[0] == Document(id="d1", title="Title", text="abstract")
    assert list(corpus.contents()) == ["Title abstract", "abstract alone", "Only"]


@pytest.mark.parametrize("qrels", ["q1 0 d1 1\nq1 0 d1 2\n", "q1 0 d9 1\n", "q9 0 d1 1\n", "q1 0 d1 0\n"])
def test_contradictions_are_refused(register: Any, tmp_path: Path, qrels: str):
    register("toys/odd", files(tmp_path, qrels))
    with pytest.raises(DataError):
        open_task(registry(), "irds:toys/odd").qrels("test")


def test_what_is_not_here_and_cannot_be_fetched_is_told(register: Any, tmp_path: Path):
    base = files(tmp_path)
    register("toys/gone", base)
    (tmp_path / "docs.tsv").unlink()
    with pytest.raises(TaskNotFound, match="harness tasks show irds:toys/gone"):
        open_task(registry(), "irds:toys/gone").corpus()


@pytest.mark.parametrize(
    ("name", "hint"),
    [("vaswan", "vaswani"), ("clueweb09", "irds:clueweb09/"), ("no-such-thing-anywhere", "ir-datasets.com")],
)
def test_an_id_that_is_none_or_has_no_judgements(name: str, hint: str):
    with pytest.raises(TaskNotFound, match=hint):
        open_task(registry(), f"irds:{name}")


@pytest.mark.parametrize(
    ("name", "splits", "exclude_self"),
    [
        ("vaswani", ("test",), False),
        ("beir/nfcorpus", ("train", "dev", "test"), False),
        ("beir/nfcorpus/test", ("test",), False),
        ("beir/arguana", ("test",), True),
        ("beir/quora/dev", ("dev",), True),
    ],
)
def test_facts_of_known_data_sets_need_no_download(name: str, splits: tuple[str, ...], exclude_self: bool):
    facts = open_task(registry(), f"irds:{name}").facts
    assert (facts.splits, facts.exclude_self, facts.languages) == (splits, exclude_self, ("en",))

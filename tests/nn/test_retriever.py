"""An encoder and an index together, with an encoder that can be followed by hand."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.contracts import Context, Role
from harness.data.corpus import ArrowCorpus, build_corpus
from harness.errors import ContractError, DataError
from harness.index.dense import DenseIndex
from harness.nn import batches
from harness.nn.retriever import EmbeddingRetriever, on_devices
from harness.records import Document, Query


class Counted:
    """A text's vector counts its a's and b's."""

    parameters = 7

    def __init__(self) -> None:
        self.asked: list[tuple[Role, int]] = []

    def __call__(self, texts: Sequence[str], role: Role) -> np.ndarray:
        self.asked.append((role, len(texts)))
        return np.array([[text.count("a"), text.count("b")] for text in texts], np.float32).reshape(-1, 2)


@pytest.fixture
def corpus(tmp_path: Path) -> ArrowCorpus:
    documents = (("d0", "aab"), ("d1", "bb"), ("d2", "a"), ("d3", ""))
    return build_corpus(
        [Document(id=doc_id, title=text[:1], text=text[1:]) for doc_id, text in documents], tmp_path / "c"
    )


def test_finds_by_hand(corpus: ArrowCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.nn.retriever.BLOCK", 3)
    encoder = Counted()
    retriever = EmbeddingRetriever(encoder, DenseIndex, tmp_path)
    retriever.index(corpus)
    run = retriever.search([Query(id="x", text="ab"), Query(id="y", text="b")], 3)
    # "ab" = (1, 1): d0 "a ab" 3, d1 "b b" 2, d2 1; "b" = (0, 1): d1 2, d0 1, then d3 and d2 with 0.
    assert run.query_ids == ("x", "y")
    assert run.rows.tolist() == [[0, 1, 2], [1, 0, 3]]
    assert run.scores.tolist() == [[3, 2, 1], [2, 1, 0]]
    assert encoder.asked == [("document", 3), ("document", 1), ("query", 2)]
    assert retriever.parameters == 7


def test_indexed_anew(corpus: ArrowCorpus, tmp_path: Path) -> None:
    retriever = EmbeddingRetriever(Counted(), DenseIndex, tmp_path)
    retriever.index(corpus)
    retriever.index(build_corpus([Document(id="z", text="b"), Document(id="a", text="a")], tmp_path / "other"))
    assert retriever.search([Query(id="x", text="a")], 5).rows.tolist() == [[1, 0, -1, -1, -1]]


def test_saved_and_loaded_without_encoding(corpus: ArrowCorpus, tmp_path: Path) -> None:
    retriever = EmbeddingRetriever(Counted(), DenseIndex, tmp_path)
    retriever.index(corpus)
    (tmp_path / "saved").mkdir()
    retriever.save(tmp_path / "saved")
    encoder = Counted()
    fresh = EmbeddingRetriever(encoder, DenseIndex, tmp_path)
    fresh.load(tmp_path / "saved", corpus)
    assert fresh.search([Query(id="x", text="ab")], 1).rows.tolist() == [[0]]
    assert encoder.asked == [("query", 1)]


def test_an_index_of_another_corpus_is_refused(corpus: ArrowCorpus, tmp_path: Path) -> None:
    retriever = EmbeddingRetriever(Counted(), DenseIndex, tmp_path)
    retriever.index(corpus)
    (tmp_path / "saved").mkdir()
    retriever.save(tmp_path / "saved")
    other = build_corpus([Document(id=doc_id, text="a") for doc_id in corpus.ids], tmp_path / "other")
    with pytest.raises(DataError, match="corpus"):
        retriever.load(tmp_path / "saved", other)


class Stopped(Exception):
    pass


class Killed(Counted):
    """Stops when it has encoded so many blocks."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.blocks = blocks

    def __call__(self, texts: Sequence[str], role: Role) -> np.ndarray:
        if len(self.asked) == self.blocks:
            raise Stopped
        return super().__call__(texts, role)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_what_was_stopped_goes_on(corpus: ArrowCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.nn.retriever.BLOCK", 1)
    lasting, whole, rest = tmp_path / "lasting", Counted(), Counted()
    for name in ("whole", "stopped", "rest"):
        (tmp_path / name).mkdir()
    EmbeddingRetriever(whole, DenseIndex, tmp_path / "whole").index(corpus)
    with pytest.raises(Stopped):
        EmbeddingRetriever(Killed(3), DenseIndex, tmp_path / "stopped", lasting).index(corpus)
    (block,) = lasting.rglob("1-2.npz")
    block.write_bytes(block.read_bytes()[:-30])  # as a machine that lost its power may leave it
    retriever = EmbeddingRetriever(rest, DenseIndex, tmp_path / "rest", lasting)
    retriever.index(corpus)
    assert (len(whole.asked), len(rest.asked)) == (4, 2)
    assert contents(tmp_path / "rest") == contents(tmp_path / "whole")
    assert not list(lasting.rglob("*.npz"))
    assert retriever.search([Query(id="x", text="ab")], 1).rows.tolist() == [[0]]


def test_another_corpus_does_not_go_on(corpus: ArrowCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.nn.retriever.BLOCK", 1)
    with pytest.raises(Stopped):
        EmbeddingRetriever(Killed(1), DenseIndex, tmp_path, tmp_path / "lasting").index(corpus)
    other, encoder = build_corpus([Document(id="d0", text="b")], tmp_path / "other"), Counted()
    EmbeddingRetriever(encoder, DenseIndex, tmp_path, tmp_path / "lasting").index(other)
    assert len(encoder.asked) == 1


def test_nothing_indexed(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="expected index or load"):
        EmbeddingRetriever(Counted(), DenseIndex, tmp_path).search([Query(id="x", text="a")], 1)


class Slow(Counted):
    def __call__(self, texts: Sequence[str], role: Role) -> np.ndarray:
        time.sleep(0.02)
        return super().__call__(texts, role)


def test_every_device_encodes_and_each_document_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.nn.retriever.BLOCK", 2)
    documents = [Document(id=f"d{i:02}", text="a" * (i % 7) + "b" * (i % 3)) for i in range(40)]
    corpus = build_corpus(documents, tmp_path / "forty")
    encoders = [Slow() for _ in range(3)]
    context = Context(folder=tmp_path, build=lambda use: use, device="x", devices=("x", "y", "z"))
    left = dict(zip("xyz", encoders, strict=True))
    several = on_devices(lambda context: left[context.device], DenseIndex.on("cpu", "cpu"), context)
    several.index(corpus)
    asked = [len([role for role, _ in encoder.asked if role == "document"]) for encoder in encoders]
    assert sum(asked) == 20
    assert min(asked) >= 2
    one = EmbeddingRetriever(Counted(), DenseIndex, tmp_path)
    one.index(corpus)
    queries = [Query(id="x", text="ab"), Query(id="y", text="b")]
    assert several.search(queries, 9).rows.tolist() == one.search(queries, 9).rows.tolist()
    assert several.blocks_of_others == 0


class Tight(Slow):
    """Has room for a batch of two at the second try only."""

    def __call__(self, texts: Sequence[str], role: Role) -> np.ndarray:
        def fill(_: list[int]) -> None:
            raise torch.OutOfMemoryError

        batches._tried(fill, [0, 1])
        return super().__call__(texts, role)


def test_what_another_device_had_no_room_for_is_counted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.nn.retriever.BLOCK", 2)
    corpus = build_corpus([Document(id=f"d{i:02}", text="a") for i in range(20)], tmp_path / "twenty")
    tight = Tight()
    with batches.halvings() as halved:
        EmbeddingRetriever(Slow(), DenseIndex, tmp_path, others=[tight]).index(corpus)
    assert halved == [2] * len(tight.asked) != []


def test_a_device_that_fails_ends_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.nn.retriever.BLOCK", 2)
    corpus = build_corpus([Document(id=f"d{i:03}", text="a") for i in range(400)], tmp_path / "many")
    slow = Slow()
    failing = EmbeddingRetriever(Killed(3), DenseIndex, tmp_path, tmp_path / "lasting", [slow])
    with pytest.raises(Stopped):
        failing.index(corpus)
    assert len(slow.asked) < 100

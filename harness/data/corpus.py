"""Documents in an Arrow file that is built once and read by memory map: 8.8 M passages are no 8.8 M Python objects."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int32

from harness.errors import DataError
from harness.records import Document, join_title
from harness.seal import sealed, unsealed

SCHEMA = pa.schema([("id", pa.large_string()), ("title", pa.large_string()), ("text", pa.large_string())])
BATCH = 8192
QUOTED = json.encoder.encode_basestring
"""A text as JSON without escapes that it doesn't need; `json.dumps` does the same and takes twice as long."""
NOTE = "corpus.json"
"""Holds the fingerprint and what the other files must be; written last."""


class ArrowCorpus:
    """A `harness.contracts.Corpus` over a folder made by `build_corpus`."""

    def __init__(self, folder: Path) -> None:
        """Map the files of `folder`, which are compared with what was written.

        Raises:
            DataError: if it holds no complete corpus, or a file of it has changed.
        """
        self.folder = folder
        try:
            self._facts: dict[str, str] = unsealed((folder / NOTE).read_text(), folder)
            with pa.memory_map(str(folder / "corpus.arrow")) as source:
                self._table = pa.ipc.open_file(source).read_all()
        except (OSError, ValueError, pa.ArrowInvalid) as error:
            raise DataError(
                f"{folder}: expected a built corpus, got {error}; delete the folder and build it again"
            ) from error

    @property
    def fingerprint(self) -> str:
        """sha256 over id, title and text of every document, in order: a line of JSON each."""
        return self._facts["fingerprint"]

    @property
    def ids(self) -> Sequence[str]:
        """Document ids by row."""
        return self._ids

    @cached_property
    def _ids(self) -> list[str]:
        return self._table.column("id").to_pylist()

    @property
    def id_rank(self) -> Int32[np.ndarray, " docs"]:
        """Position of each row's id among all ids in ascending (code point) order."""
        return self._id_rank

    @cached_property
    def _id_rank(self) -> Int32[np.ndarray, " docs"]:
        return np.load(self.folder / "id_rank.npy", mmap_mode="r")

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {doc_id: row for row, doc_id in enumerate(self.ids)}

    def __len__(self) -> int:
        return self._table.num_rows

    def __getitem__(self, row: int) -> Document:
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of a corpus of {len(self)} documents")
        doc_id, title, text = (self._table.column(name)[row].as_py() for name in SCHEMA.names)
        return Document(id=doc_id, title=title, text=text)

    def contents(self, rows: Iterable[int] | None = None) -> Sequence[str]:
        """Title and body joined, of these rows or of all."""
        table = self._table if rows is None else self._rows_of(rows)
        titles, texts = table.column("title").to_pylist(), table.column("text").to_pylist()
        return [join_title(title, text) for title, text in zip(titles, texts, strict=True)]

    def _rows_of(self, rows: Iterable[int]) -> pa.Table:
        """These rows; neighbours are cut out, since picking rows one by one reads the whole table."""
        if isinstance(rows, range) and rows.step == 1 and 0 <= rows.start <= rows.stop <= len(self):
            return self._table.slice(rows.start, len(rows))
        return self._table.take(pa.array(list(rows), pa.int64()))

    def row_of(self, doc_id: str) -> int:
        """The row of an id; KeyError if there is none."""
        return self._rows[doc_id]

    def __contains__(self, doc_id: object) -> bool:
        return doc_id in self._rows


def build_corpus(documents: Iterable[Document], folder: Path) -> ArrowCorpus:
    """Write documents to `folder` (which appears whole or not at all) and open it.

    Raises:
        DataError: if an id is empty or comes twice, or if there is no document.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".corpus-", dir=folder.parent))
    try:
        _write(documents, work)
        try:
            os.rename(work, folder)
        except OSError:  # somebody else was quicker: content-addressed folders are interchangeable
            if not (folder / NOTE).exists():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return ArrowCorpus(folder)


def _write(documents: Iterable[Document], work: Path) -> None:
    hasher = hashlib.sha256()
    with pa.OSFile(str(work / "corpus.arrow"), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        for batch in _batches(documents):
            columns = [[getattr(document, name) for document in batch] for name in SCHEMA.names]
            lines = (f"[{', '.join(map(QUOTED, fields))}]\n" for fields in zip(*columns, strict=True))
            hasher.update("".join(lines).encode("utf-8", "surrogatepass"))
            writer.write_batch(pa.record_batch([pa.array(c, pa.large_string()) for c in columns], schema=SCHEMA))
    with pa.memory_map(str(work / "corpus.arrow")) as source:
        np.save(work / "id_rank.npy", _id_rank(pa.ipc.open_file(source).read_all().column("id")))
    files = ("corpus.arrow", "id_rank.npy")
    (work / NOTE).write_text(sealed({"fingerprint": hasher.hexdigest()}, work, files))


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    for document in documents:
        batch.append(document)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _id_rank(ids: pa.ChunkedArray) -> Int32[np.ndarray, " docs"]:
    """Rank of each id in byte order, which is code point order in UTF-8; checks that ids are unique and not empty."""
    if not len(ids):
        raise DataError("the corpus has no documents; expected at least one")
    order = pc.call_function("sort_indices", [ids]).to_numpy()
    ordered = ids.take(pa.array(order)).combine_chunks()
    if ordered[0].as_py() == "":
        raise DataError(f"document {int(order[0])} has an empty id; expected a non-empty one")
    same = np.flatnonzero(pc.call_function("equal", [ordered[1:], ordered[:-1]]).to_numpy(zero_copy_only=False))
    if len(same):
        raise DataError(f"document id {ordered[int(same[0])].as_py()!r} comes twice; ids must be unique")
    rank = np.empty(len(ids), dtype=np.int32)
    rank[order] = np.arange(len(ids), dtype=np.int32)
    return rank

"""A task over any source of documents, queries and judgements, read once and then kept.

A source names the content it has by its `identity`. What was read of it is kept under that identity: the corpus as a
memory map, each split as arrays. The next process reads no source file again; changed content has another identity and
is read anew.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import numpy as np
from jaxtyping import Int32

from harness.contracts import TaskFacts
from harness.data.corpus import ArrowCorpus
from harness.data.kept import kept_corpus, kept_json, read_json, write_json
from harness.data.split import KeptSplit, Split, from_json, to_json
from harness.errors import ConfigError
from harness.home import home
from harness.records import Document, Example, Qrels, Query, Run

FORMAT = 1
"""Of what is kept; to be raised when the reading of sources or the kept files change."""


class Source(Protocol):
    """Where a task's content comes from. Nothing is read before it is asked for."""

    @property
    def facts(self) -> TaskFacts:
        """What the task says of itself."""
        ...

    @property
    def identity(self) -> str:
        """Names the content, found without reading it: equal identity, equal content; empty if that can't be told."""
        ...

    def documents(self) -> Iterable[Document]:
        """The documents, in an order that is always the same."""
        ...

    def split(self, name: str, corpus: ArrowCorpus) -> Split:
        """Queries and judgements of a split over this corpus, which was built from `documents`."""
        ...


class SourceTask:
    """A `harness.contracts.Task` over a source."""

    def __init__(self, source: Source, folder: Path | None = None) -> None:
        """Open a task; nothing is read yet.

        Args:
            source: where its content comes from.
            folder: where what is read is kept; default `$HARNESS_HOME/data`.
        """
        self._source = source
        self._given = folder
        self._splits: dict[str, KeptSplit] = {}

    @property
    def facts(self) -> TaskFacts:
        """What it says of itself."""
        return self._source.facts

    def corpus(self) -> ArrowCorpus:
        """The documents.

        Raises:
            DataError: if the source is malformed.
        """
        return self._corpus

    def queries(self, split: str) -> Sequence[Query]:
        """The queries of a split that have a relevant document, in the order of `qrels(split)`; see `fingerprint`."""
        return self._split(split).queries

    def qrels(self, split: str) -> Qrels:
        """The judgements of these queries; see `fingerprint`."""
        return self._split(split).qrels

    def candidates(self, split: str) -> Run | None:
        """The documents to rank for each query, best first where that is known; None if it is the whole corpus."""
        return self._split(split).candidates

    def dropped(self, split: str) -> int:
        """How many judged queries have no relevant document and are therefore left out."""
        return self._split(split).dropped

    def examples(self) -> Sequence[Example]:
        """The queries of the split `train` with their judged documents; empty if there is no such split."""
        return self._examples

    def fingerprint(self, split: str) -> str:
        """sha256 over the corpus and the split's queries, judgements and candidates: equal content, equal fingerprint.

        Raises:
            ConfigError: if there is no such split.
            DataError: if the source is malformed.
        """
        return self._split(split).fingerprint

    @cached_property
    def _folder(self) -> Path:
        return self._given or home() / "data"

    @cached_property
    def _kept(self) -> Path | None:
        """Where what was read under this identity is kept; None if the source can't tell its identity."""
        identity = self._source.identity
        key = hashlib.sha256(f"{FORMAT} {identity}".encode()).hexdigest()[:32]
        return self._folder / "tasks" / key if identity else None

    @cached_property
    def _corpus(self) -> ArrowCorpus:
        if self._kept is None:
            return kept_corpus(self._source.documents(), self._folder)
        pointer = self._kept / "corpus.json"
        if pointer.exists() and (built := self._folder / read_json(pointer)["fingerprint"]).exists():
            return ArrowCorpus(built)
        corpus = kept_corpus(self._source.documents(), self._folder)
        write_json(pointer, {"fingerprint": corpus.fingerprint})
        return corpus

    def _split(self, name: str) -> KeptSplit:
        if name not in self._splits:
            if name not in self.facts.splits:
                raise ConfigError(f"{self.facts.name} has no split {name!r}; it has {', '.join(self.facts.splits)}")
            self._splits[name] = from_json(self._read(name, self.corpus()))
        return self._splits[name]

    def _read(self, name: str, corpus: ArrowCorpus) -> Any:
        def make() -> Any:
            return to_json(self._source.split(name, corpus), corpus, f"{self.facts.name}, split {name}")

        if self._kept is None:
            return make()
        return kept_json(self._kept / f"{corpus.fingerprint[:16]}-{quote(name, safe='')}.json", make)

    @cached_property
    def _examples(self) -> Sequence[Example]:
        if "train" not in self.facts.splits:
            return ()
        qrels, queries = self.qrels("train"), self.queries("train")
        return tuple(_example(query, *qrels.of(position)) for position, query in enumerate(queries))


def _example(query: Query, rows: Int32[np.ndarray, " judged"], grades: Int32[np.ndarray, " judged"]) -> Example:
    positives, negatives = rows[grades > 0].tolist(), rows[grades <= 0].tolist()
    return Example(query=query, positives=tuple(positives), negatives=tuple(negatives))

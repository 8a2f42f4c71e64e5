"""The four contracts: what a retriever, a teacher, a distiller and a task must be able to do.

No base class is needed to satisfy one. `harness.testing` checks that a plugin keeps them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int32, Int64

from harness.card import Signal, Use
from harness.errors import SignalError
from harness.records import Budget, Document, Example, Qrels, Query, Run

Role = Literal["query", "document"]

FP32 = "fp32"
"""The mode of verified evaluations: models compute with float32 numbers; `harness.nn.modes` has the others."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the harness hands to every plugin that it builds, beside its Config."""

    folder: Path
    """A private folder for whatever it wants to keep while it lives; removed afterwards."""
    build: Callable[[Use], Any]
    """Builds a nested plugin."""
    device: str = "cpu"
    """A torch device name."""
    devices: tuple[str, ...] = ()
    """Torch names of all devices that it may use, `device` the first; none: that one alone."""
    seed: int = 0
    """All chance must come from it."""
    trust_remote_code: frozenset[str] = frozenset()
    """Checkpoints whose own code the user has allowed to run, by name."""
    mode: str = FP32
    """What a model that encodes or scores is to compute with; a teacher gets `fp32` and decides for itself."""
    lasting: Path | None = None
    """A folder that outlives the process and is the same for the same lesson, so that a training that was stopped goes
    on, and one that is over isn't done again; for a retriever, the same for the same method on the same device, so that
    an indexing that was stopped goes on. None: nothing is kept."""

    @property
    def all_devices(self) -> tuple[str, ...]:
        """Torch names of the devices that it may use, one at least."""
        return self.devices or (self.device,)

    @property
    def training(self) -> Path:
        """Where a training keeps its checkpoints, its record and the student."""
        return self.lasting or self.folder / "training"


@runtime_checkable
class Corpus(Protocol):
    """Documents by row, 0 … len - 1, read from a memory map."""

    @property
    def ids(self) -> Sequence[str]:
        """Document ids by row."""
        ...

    @property
    def id_rank(self) -> Int32[np.ndarray, " docs"]:
        """Position of each row's id among all ids in ascending order: the tie-breaker of every ranking."""
        ...

    @property
    def fingerprint(self) -> str:
        """sha256 of the content, in order."""
        ...

    @property
    def folder(self) -> Path:
        """Where the corpus lies; it may be opened again from here."""
        ...

    def __len__(self) -> int:
        """Number of documents."""
        ...

    def __getitem__(self, row: int) -> Document:
        """The document at this row."""
        ...

    def contents(self, rows: Iterable[int] | None = None) -> Sequence[str]:
        """Title and body joined (`Document.content`) of these rows, or of all."""
        ...

    def row_of(self, doc_id: str) -> int:
        """The row of an id; KeyError if there is none."""
        ...


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """What a task says of itself; everything here is shown on the board."""

    name: str
    """As given to `--task`; of a folder, without its path."""
    summary: str
    """What it measures, in a sentence or two."""
    splits: tuple[str, ...]
    """Splits with judgements."""
    split: str = "test"
    """The split that is evaluated unless another is asked for."""
    measures: tuple[str, ...] = ("nDCG@10", "RR@10", "R@100", "AP")
    """Measures as ir_measures names them; the first is the main one."""
    languages: tuple[str, ...] = ()
    """BCP 47 codes."""
    licence: str = "not stated"
    """Of the data."""
    source: str = ""
    """Where the data comes from."""
    revision: str = ""
    """Version of the data at its source."""
    citation: str = ""
    """How to cite it."""
    exclude_self: bool = False
    """Whether a document whose id equals the query's id is no answer (ArguAna, Quora); removed before scoring."""


@runtime_checkable
class Task(Protocol):
    """Corpus, queries and judgements. Nothing is loaded before it is asked for."""

    @property
    def facts(self) -> TaskFacts:
        """What it says of itself."""
        ...

    def corpus(self) -> Corpus:
        """The documents."""
        ...

    def queries(self, split: str) -> Sequence[Query]:
        """The queries of a split that have at least one relevant document, in the order of `qrels(split)`."""
        ...

    def qrels(self, split: str) -> Qrels:
        """The judgements of a split."""
        ...

    def examples(self) -> Sequence[Example]:
        """Training data: empty if the task has none."""
        ...

    def fingerprint(self, split: str) -> str:
        """sha256 over corpus, queries and judgements of a split: equal content, equal fingerprint."""
        ...


@runtime_checkable
class Retriever(Protocol):
    """Ranks the documents of a corpus for queries."""

    def index(self, corpus: Corpus) -> None:
        """Prepare to search this corpus."""
        ...

    def search(self, queries: Sequence[Query], k: int) -> Run:
        """The best `k` documents of each query, in the order of the queries."""
        ...

    def save(self, folder: Path) -> None:
        """Write the index to an empty folder; its size is the method's index size."""
        ...

    def load(self, folder: Path, corpus: Corpus) -> None:
        """Take the index of this corpus from a folder written by `save`, instead of `index`."""
        ...


@runtime_checkable
class Teacher(Protocol):
    """Gives signals; which ones, its card lists. The protocols below say how each is asked for."""

    @property
    def identity(self) -> str:
        """Digest of all that its answers depend on: weights, prompt, template, maximum length, dtype."""
        ...


@runtime_checkable
class Scorer(Teacher, Protocol):
    """Gives `score`."""

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        """Relevance of each pair: higher is more relevant; comparable within one query."""
        ...


@runtime_checkable
class Embedder(Teacher, Protocol):
    """Gives `embed`."""

    def embed(self, texts: Sequence[str], role: Role) -> Float32[np.ndarray, "texts dim"]:
        """Vectors whose dot product is the teacher's score."""
        ...


@runtime_checkable
class Preferrer(Teacher, Protocol):
    """Gives `prefer`."""

    def prefer(self, triples: Sequence[tuple[Query, Document, Document]]) -> Float32[np.ndarray, " triples"]:
        """Probability that the first document is more relevant than the second."""
        ...


@runtime_checkable
class Orderer(Teacher, Protocol):
    """Gives `order`."""

    def order(self, query: Query, docs: Sequence[Document]) -> Int64[np.ndarray, " docs"]:
        """Positions in `docs`, most relevant first: a permutation."""
        ...


@runtime_checkable
class Featurer(Teacher, Protocol):
    """Gives `features`."""

    def features(self, pairs: Sequence[tuple[Query, Document]]) -> dict[str, np.ndarray]:
        """Named arrays (hidden states, attentions), one row a pair."""
        ...


@runtime_checkable
class Generator(Teacher, Protocol):
    """Gives `generate`."""

    def generate(self, prompts: Sequence[str]) -> list[str]:
        """One continuation a prompt."""
        ...


@runtime_checkable
class Judge(Teacher, Protocol):
    """Gives `judge`."""

    def judge(self, pairs: Sequence[tuple[Query, Document]]) -> Int32[np.ndarray, " pairs"]:
        """A grade for each pair; above 0 is relevant."""
        ...


GIVES: dict[str, type] = {
    "score": Scorer,
    "embed": Embedder,
    "prefer": Preferrer,
    "order": Orderer,
    "features": Featurer,
    "generate": Generator,
    "judge": Judge,
}
"""The protocol of each signal that a card may list."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """All that a distiller works from."""

    student: str
    """Checkpoint of the student: hub id, folder or `pip:<distribution>`."""
    teacher: Teacher | None
    """The teacher, frozen; None where the card needs no signal."""
    corpus: Corpus
    """Documents of the training task."""
    examples: Sequence[Example]
    """Training queries with their judged documents."""
    budget: Budget
    """What may be used."""
    candidates: str = ""
    """Digest that the frozen candidate lists must have, where a suite fixes them; empty if any will do."""

    def require(self, *signals: Signal) -> Any:
        """The teacher, once it is certain that it gives these signals.

        Raises:
            SignalError: there is no teacher, or it lacks one of them.
        """
        if self.teacher is None:
            raise SignalError(f"expected a teacher that gives {', '.join(signals)}, got none; name one with --teacher")
        if lacking := [signal for signal in signals if not isinstance(self.teacher, GIVES[signal])]:
            raise SignalError(
                f"expected a teacher that gives {', '.join(signals)}; {type(self.teacher).__name__} lacks "
                f"{', '.join(lacking)}: take another"
            )
        return self.teacher


@runtime_checkable
class Distiller(Protocol):
    """Makes a retriever out of a student, a teacher's signals and training data, inside a budget."""

    def distil(self, lesson: Lesson) -> Retriever:
        """The trained student, ready to index a corpus."""
        ...

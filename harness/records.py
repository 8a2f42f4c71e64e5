"""The shapes that cross a layer: one shape for each thing, converted only at the border."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """One turn of a dialogue."""

    role: str
    """`user` or `assistant`."""
    text: str
    """What was said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """An information need; more than a string, since methods use more."""

    id: str
    """Unique in its task."""
    text: str
    """The query, or the last turn of a dialogue."""
    history: tuple[Turn, ...] = ()
    """Earlier turns, oldest first."""
    instruction: str | None = None
    """What counts as relevant, in words, for instruction-following retrievers."""
    language: str | None = None
    """BCP 47 code, if it differs from the task's."""
    terms: Mapping[str, float] | None = None
    """Weighted terms, if the query comes with them."""
    vector: tuple[float, ...] | None = None
    """An embedding, if the query comes as one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One document of a corpus."""

    id: str
    """Unique in its corpus."""
    text: str
    """The body."""
    title: str = ""
    """The title, empty if there is none."""

    @property
    def content(self) -> str:
        """Title and body joined with a blank, as BEIR and MTEB feed them to models."""
        return join_title(self.title, self.text)


def join_title(title: str, text: str) -> str:
    """Title and body as one text: joined with a blank, white space at the ends removed."""
    return f"{title} {text}".strip()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Qrels:
    """Relevance judgements of one split; the queries of a split are the queries named here, in this order."""

    query_ids: tuple[str, ...]
    """The judged queries."""
    offsets: Int64[np.ndarray, " queries_plus_one"]
    """Judgements of query `i` are `rows[offsets[i]:offsets[i + 1]]`."""
    rows: Int32[np.ndarray, " judgements"]
    """Document rows in the corpus."""
    grades: Int32[np.ndarray, " judgements"]
    """Grades; above 0 is relevant."""

    def __len__(self) -> int:
        """Number of judged queries."""
        return len(self.query_ids)

    def of(self, query: int) -> tuple[Int32[np.ndarray, " judged"], Int32[np.ndarray, " judged"]]:
        """Document rows and grades judged for the query at this position."""
        part = slice(self.offsets[query], self.offsets[query + 1])
        return self.rows[part], self.grades[part]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Run:
    """A ranking for each query, as in TREC: one row a query, best first, filled up with row -1 and score -inf."""

    query_ids: tuple[str, ...]
    """One a row, in the order in which the queries were given."""
    rows: Int32[np.ndarray, "queries k"]
    """Document rows in the corpus; -1 where the ranking is shorter than k."""
    scores: Float32[np.ndarray, "queries k"]
    """Retrieval scores, descending; -inf where the row is -1."""

    def __len__(self) -> int:
        """Number of queries."""
        return len(self.query_ids)

    @property
    def k(self) -> int:
        """The depth of the ranking."""
        return self.rows.shape[1]

    def top(self, k: int) -> "Run":
        """The same run cut at depth `k`."""
        return Run(query_ids=self.query_ids, rows=self.rows[:, :k], scores=self.scores[:, :k])

    def select(self, positions: "list[int]") -> "Run":
        """The rankings of the queries at these positions, in this order."""
        ids = tuple(self.query_ids[position] for position in positions)
        return Run(query_ids=ids, rows=self.rows[positions], scores=self.scores[positions])


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One training query with its judged documents."""

    query: Query
    """The query."""
    positives: tuple[int, ...]
    """Rows of relevant documents."""
    negatives: tuple[int, ...] = ()
    """Rows of documents judged or mined as not relevant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What a distillation may use; None means no limit of this kind."""

    steps: int | None = None
    """Optimiser steps."""
    examples: int | None = None
    """Training examples seen."""
    seconds: float | None = None
    """Seconds on the device."""
    teacher_calls: int | None = None
    """(query, document) pairs or texts sent to the teacher."""

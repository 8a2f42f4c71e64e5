"""Candidate lists to learn from: each training query with a positive and negatives that a retriever ranks high.

Lists are frozen: made once from a seed, named by a digest of their content, and the same for every method of a suite.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64

from harness.contracts import Corpus, Retriever
from harness.errors import DataError
from harness.records import Example, Query

BLOCK = 512
"""Queries searched at once while mining."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """Training queries with the documents to rank for each: the positive in column 0, negatives after it."""

    queries: tuple[Query, ...]
    """The queries."""
    rows: Int32[np.ndarray, "queries docs"]
    """Document rows in the corpus."""
    ranks: Int32[np.ndarray, "queries docs"] | None = None
    """Where the retriever that they were mined from ranks them, from 1; 0 where it didn't find them; None: not kept."""

    def __len__(self) -> int:
        """Number of queries."""
        return len(self.queries)

    @property
    def digest(self) -> str:
        """sha256 over query texts and rows: equal lists, equal digest."""
        hasher = hashlib.sha256(self.rows.tobytes())
        for query in self.queries:
            hasher.update(query.text.encode("utf-8", "surrogatepass") + b"\0")
        return hasher.hexdigest()

    def select(self, positions: Sequence[int]) -> "Candidates":
        """The lists of the queries at these positions."""
        chosen = np.asarray(positions, np.int64)
        ranks = None if self.ranks is None else self.ranks[chosen]
        return Candidates(queries=tuple(self.queries[i] for i in chosen), rows=self.rows[chosen], ranks=ranks)

    def columns_by_rank(self) -> Int64[np.ndarray, "queries docs"]:
        """Columns of each list as the retriever ranks them, what it didn't find at the end, by row.

        A teacher that is shown whole lists or pairs sees them so: in the lists' own order the positive stands first.
        """
        assert self.ranks is not None, "mined lists have ranks"
        places = np.where(self.ranks > 0, self.ranks, np.iinfo(np.int32).max)
        return np.lexsort((self.rows, places), axis=1).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which ranks negatives are drawn from."""

    first: int = 1
    """Best rank, from 1, counted without relevant documents."""
    last: int = 100
    """Worst rank."""
    count: int = 7
    """Negatives a query, drawn without replacement."""

    def __post_init__(self) -> None:
        if not (1 <= self.first <= self.last and 1 <= self.count <= self.last - self.first + 1):
            raise ValueError(
                f"expected 1 ≤ first ≤ last with room for {self.count} negatives, got {self.first} to {self.last}"
            )


def mine(retriever: Retriever, corpus: Corpus, examples: Sequence[Example], window: Window, seed: int) -> Candidates:
    """One list a query: a positive drawn from its relevant documents, negatives drawn from the retriever's ranking.

    Documents that are judged relevant are never negatives. Where the window holds too few documents, the ranks
    before it fill up, then documents drawn from the whole corpus.

    Args:
        retriever: has indexed the corpus.
        corpus: the documents.
        examples: training queries; those without a positive are left out.
        window: which ranks.
        seed: of all draws; each query draws from a generator of its own, so that lists don't depend on each other.

    Raises:
        DataError: no example with a positive, or a corpus too small for the lists.
    """
    taught = [example for example in examples if example.positives]
    if not taught:
        raise DataError("no training query has a relevant document; expected at least one")
    ranked = _rankings(retriever, taught, window)
    lists = [
        _list(example, ranking, window, len(corpus), np.random.default_rng((seed, number)))
        for number, (example, ranking) in enumerate(zip(taught, ranked, strict=True))
    ]
    ranks = [_ranks(rows, ranking) for rows, ranking in zip(lists, ranked, strict=True)]
    return Candidates(
        queries=tuple(example.query for example in taught),
        rows=np.array(lists, np.int32),
        ranks=np.array(ranks, np.int32),
    )


def _ranks(rows: Sequence[int], ranking: Int32[np.ndarray, " retrieved"]) -> list[int]:
    places = {row: place for place, row in enumerate(ranking.tolist(), 1)}
    return [places.get(row, 0) for row in rows]


def _rankings(
    retriever: Retriever, examples: Sequence[Example], window: Window
) -> list[Int32[np.ndarray, " retrieved"]]:
    depth = window.last + max(len(example.positives) for example in examples)
    found: list[Int32[np.ndarray, " retrieved"]] = []
    for start in range(0, len(examples), BLOCK):
        block = examples[start : start + BLOCK]
        run = retriever.search([example.query for example in block], depth)
        found += [rows[rows >= 0] for rows in run.rows]
    return found


def _list(
    example: Example,
    ranking: Int32[np.ndarray, " retrieved"],
    window: Window,
    documents: int,
    chance: np.random.Generator,
) -> list[int]:
    relevant = set(example.positives)
    others = np.array([row for row in ranking.tolist() if row not in relevant], np.int64)
    inside = others[window.first - 1 : window.last]
    negatives = chance.permutation(inside)[: window.count].tolist()
    negatives += others[: window.first - 1][: window.count - len(negatives)].tolist()
    if window.count > documents - len(relevant):
        raise DataError(
            f"the corpus has {documents} documents; expected more than {window.count} that are not relevant to a query"
        )
    taken = relevant | set(negatives)
    while len(negatives) < window.count:
        row = int(chance.integers(documents))
        if row not in taken:
            taken.add(row)
            negatives.append(row)
    return [int(chance.choice(sorted(relevant))), *negatives]


def false_negatives(scores: Float32[np.ndarray, "queries docs"], *, share: float) -> Bool[np.ndarray, "queries docs"]:
    """Negatives that a teacher scores so high that they may well be relevant: True where one should be masked.

    Args:
        scores: teacher scores of candidate lists, the positive in column 0; positive numbers, such as cosines.
        share: a negative is suspect above this share of the positive's score.

    Source: Moreira et al., 2024 (arXiv:2407.15831), there called TopK-PercPos.
    """
    suspect = scores > share * scores[:, :1]
    suspect[:, 0] = False
    return suspect

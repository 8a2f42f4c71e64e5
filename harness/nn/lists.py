"""Candidate lists in batches: which queries come when, and what a loss sees of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int32
from torch import Tensor

from harness.contracts import Corpus
from harness.nn.mining import Candidates
from harness.nn.students import LateStudent, PairStudent, Student
from harness.nn.view import LateView, PairView, View
from harness.records import Example

Scores = Float32[np.ndarray, "queries docs"]


class Batches:
    """Which lists are in the batch of a number: each once an epoch, in an order that the seed gives."""

    def __init__(self, lists: int, size: int, seed: int) -> None:
        """Batches of `size` out of so many lists; the last ones of an epoch that fill no batch are left out of it."""
        self._lists, self._size, self._seed = lists, min(size, lists), seed

    def positions(self, number: int) -> list[int]:
        """The lists of a batch."""
        epoch, place = divmod(number, self._lists // self._size)
        order = np.random.default_rng((self._seed, epoch)).permutation(self._lists)
        return order[place * self._size : (place + 1) * self._size].tolist()


class Lists:
    """Candidate lists with what is known of them, as views for a student."""

    def __init__(
        self,
        candidates: Candidates,
        corpus: Corpus,
        examples: Sequence[Example],
        *,
        teacher: Scores | None = None,
        vectors: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        """Gather what views are made of.

        Args:
            candidates: the lists.
            corpus: their documents.
            examples: the training queries with a positive, in the order of the lists or of more than them.
            teacher: its scores of the lists.
            vectors: its vectors of the queries (one a list) and of the documents (one a row of the corpus; rows that
                are in no list may hold anything), for scores of all documents of a batch.
        """
        self.candidates, self.corpus, self.teacher, self.vectors = candidates, corpus, teacher, vectors
        judged = {example.query.id: frozenset(example.positives) for example in examples if example.positives}
        self._relevant = [judged[query.id] for query in candidates.queries]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.candidates)

    def view(self, student: Student | PairStudent, positions: Sequence[int]) -> View:
        """What a loss sees of these lists."""
        chosen = self.candidates.select(positions)
        flat = chosen.rows.ravel().tolist()
        texts = tuple(self.corpus.contents(flat))
        device = student.device
        facts: dict[str, Any] = {
            "rows": torch.as_tensor(chosen.rows, device=device),
            "teacher": None if self.teacher is None else torch.as_tensor(self.teacher[list(positions)], device=device),
            "relevant": torch.tensor(
                [[row in self._relevant[own] for row in flat] for own in positions], device=device
            ),
            "teacher_all": self._all(positions, chosen.rows, device),
            "positions": tuple(positions),
            "queries": chosen.queries,
            "texts": texts,
        }
        return _embedded(student, facts) if isinstance(student, Student) else _read(student, facts)

    def _all(
        self, positions: Sequence[int], rows: Int32[np.ndarray, "queries docs"], device: torch.device
    ) -> Tensor | None:
        if self.vectors is None:
            return None
        queries, documents = self.vectors
        return torch.as_tensor(queries[list(positions)] @ documents[rows.ravel()].T, device=device)


def _embedded(student: Student, facts: dict[str, Any]) -> View:
    queries, docs = facts["rows"].shape
    asked = student.embed([query.text for query in facts["queries"]], "query")
    given = student.embed(facts["texts"], "document")
    if isinstance(student, LateStudent):
        shaped = given.vectors.view(queries, docs, *given.vectors.shape[1:])
        tokens = {"query_tokens": asked, "document_tokens": given}
        return LateView(student=student, query_vectors=asked.vectors, document_vectors=shaped, **tokens, **facts)
    return View(query_vectors=asked, document_vectors=given.view(queries, docs, -1), **facts)


def _read(student: PairStudent, facts: dict[str, Any]) -> View:
    queries, docs = facts["rows"].shape
    asked = [query.text for query in facts["queries"] for _ in range(docs)]
    scores = student.score(list(zip(asked, facts["texts"], strict=True))).view(queries, docs)
    none = scores.new_empty(queries, 0)
    return PairView(pair_scores=scores, query_vectors=none, document_vectors=none.view(queries, 0, 0), **facts)

"""A teacher that remembers: answers from the store what was asked before, by whomever, and asks only the rest.

By three attributes, each False where there is none, a teacher says what its answers are:

- `scores_are_dot_products`: `score` is the dot product of `embed(query.text, "query")` and
  `embed(document.content, "document")`. Vectors are then kept in place of scores, so that a text is encoded once, ever,
  whatever it is paired with.
- `scores_depend_on_list`: what a document gets depends on the other documents of its query in the call. Scores are then
  kept under the query and all its documents of the call, in their order, never under a pair.
- `answers_depend_on_call`: any answer depends on what else is asked in the call. Nothing is kept: such a teacher makes
  its answers of another's, which are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32, Int64

from harness.contracts import Role, Teacher
from harness.records import Document, Query
from harness.signals import checks, keys, scores
from harness.signals.features import stacked
from harness.signals.store import Account, SignalStore, Source


@dataclass(frozen=True, kw_only=True)
class RememberingTeacher:
    """Gives what the teacher behind it gives; each distinct question is put to that teacher once, ever."""

    teacher: Any
    """The teacher; its signals are those it has methods for."""
    store: SignalStore
    """Where its signals are kept."""
    description: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Plugin and configuration, kept with the signals."""
    account: Account = field(default_factory=Account)
    """What asking has cost."""
    limit: int | None = None
    """Most questions that may be put to the teacher."""

    def __post_init__(self) -> None:
        """Check what would wait for itself."""
        assert not isinstance(self.teacher, RememberingTeacher), "this teacher remembers already"

    @cached_property
    def identity(self) -> str:
        """That of the teacher."""
        return self.teacher.identity

    @property
    def scores_are_dot_products(self) -> bool:
        """See above."""
        return getattr(self.teacher, "scores_are_dot_products", False)

    @property
    def scores_depend_on_list(self) -> bool:
        """See above."""
        return getattr(self.teacher, "scores_depend_on_list", False)

    @property
    def _depends_on_call(self) -> bool:
        return getattr(self.teacher, "answers_depend_on_call", False)

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        """See `harness.contracts.Scorer`; a call is a pair, or a text where scores are dot products."""
        if self.scores_depend_on_list and not self._depends_on_call:
            return self._score_lists(pairs)
        if self.scores_are_dot_products:
            return scores.dot_products(pairs, self.embed)
        return self._numbers("score", keys.pair_key, pairs, np.float32)

    def judge(self, pairs: Sequence[tuple[Query, Document]]) -> Int32[np.ndarray, " pairs"]:
        """See `harness.contracts.Judge`."""
        return self._numbers("judge", keys.pair_key, pairs, np.int32)

    def prefer(self, triples: Sequence[tuple[Query, Document, Document]]) -> Float32[np.ndarray, " triples"]:
        """See `harness.contracts.Preferrer`."""
        return self._numbers("prefer", keys.triple_key, triples, np.float32)

    def embed(self, texts: Sequence[str], role: Role) -> Float32[np.ndarray, "texts dim"]:
        """See `harness.contracts.Embedder`."""

        def answer(questions: Sequence[Any]) -> list[Any]:
            return list(checks.numbers("embed", questions, self.teacher.embed(questions, role), np.float32, dims=2))

        return np.array(self._ask("embed", partial(keys.text_key, role), texts, answer), np.float32)

    def features(self, pairs: Sequence[tuple[Query, Document]]) -> dict[str, np.ndarray]:
        """See `harness.contracts.Featurer`; no arrays for no pairs."""

        def answer(questions: Sequence[Any]) -> list[Any]:
            known = self.store.shelf(self.identity, "features").sample
            return checks.features(questions, self.teacher.features(questions), known)

        return stacked(self._ask("features", keys.pair_key, pairs, answer))

    def generate(self, prompts: Sequence[str]) -> list[str]:
        """See `harness.contracts.Generator`."""

        def answer(questions: Sequence[Any]) -> list[str]:
            return checks.counted("generate", questions, self.teacher.generate(questions))

        return self._ask("generate", partial(keys.text_key, "prompt"), prompts, answer)

    def order(self, query: Query, docs: Sequence[Document]) -> Int64[np.ndarray, " docs"]:
        """See `harness.contracts.Orderer`."""
        return self.orders([(query, docs)])[0]

    def orders(self, questions: Sequence[tuple[Query, Sequence[Document]]]) -> list[Int64[np.ndarray, " docs"]]:
        """The order of each of many lists; what is missing is stored together, not in a file a list."""

        def answer(asked: Sequence[Any]) -> list[Any]:
            return [checks.permutation(question, self.teacher.order(*question)) for question in asked]

        return [np.array(order, np.int64) for order in self._ask("order", keys.list_key, questions, answer, first=1)]

    def _score_lists(self, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        """Scores that are kept by list; the teacher gets a list at a time, as it would mix lists of one query."""
        lists, places = scores.lists(pairs)

        def answer(asked: Sequence[Any]) -> list[Any]:
            listed = [[(query, document) for document in docs] for query, docs in asked]
            return [checks.numbers("score", its, self.teacher.score(its), np.float32) for its in listed]

        found = self._ask("score-lists", keys.list_key, lists, answer, calls=scores.length, first=1)
        return scores.scattered(found, places)

    def _numbers(self, kind: str, key: Callable[[Any], bytes], questions: Sequence[Any], dtype: type) -> np.ndarray:
        """Answers of a kind that is one number each."""

        def answer(asked: Sequence[Any]) -> list[Any]:
            return list(checks.numbers(kind, asked, getattr(self.teacher, kind)(asked), dtype))

        return np.array(self._ask(kind, key, questions, answer), dtype)

    def _ask(
        self,
        kind: str,
        key: Callable[[Any], bytes],
        questions: Sequence[Any],
        answer: Callable[[Sequence[Any]], Sequence[Any]],
        **more: Any,
    ) -> list[Any]:
        checks.gives(self.teacher, kind)
        if self._depends_on_call:
            return list(answer(questions))
        asked = [key(question) for question in questions]
        facts = {"identity": self.identity, "description": self.description, "limit": self.limit}
        source = Source(kind=kind, answer=answer, **facts, **more)
        answers = self.store.ask(source, dict(zip(asked, questions, strict=True)), self.account)
        return [answers[its] for its in asked]


def remember(teacher: Teacher, description: Mapping[str, Any], limit: int | None = None) -> RememberingTeacher:
    """The teacher, answering from the user's signal store."""
    return RememberingTeacher(teacher=teacher, store=SignalStore(), description=description, limit=limit)

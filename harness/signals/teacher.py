"""A teacher that remembers: answers from the store what was asked before, by whomever, and asks only the rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32, Int64

from harness.contracts import Role, Teacher
from harness.errors import SignalError
from harness.records import Document, Query
from harness.signals import keys
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

    @property
    def identity(self) -> str:
        """That of the teacher."""
        return self.teacher.identity

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        """See `harness.contracts.Scorer`."""
        return np.array(self._ask("score", keys.pair_key, pairs, self._numbers("score")), np.float32)

    def judge(self, pairs: Sequence[tuple[Query, Document]]) -> Int32[np.ndarray, " pairs"]:
        """See `harness.contracts.Judge`."""
        return np.array(self._ask("judge", keys.pair_key, pairs, self._numbers("judge")), np.int32)

    def prefer(self, triples: Sequence[tuple[Query, Document, Document]]) -> Float32[np.ndarray, " triples"]:
        """See `harness.contracts.Preferrer`."""
        return np.array(self._ask("prefer", keys.triple_key, triples, self._numbers("prefer")), np.float32)

    def embed(self, texts: Sequence[str], role: Role) -> Float32[np.ndarray, "texts dim"]:
        """See `harness.contracts.Embedder`."""

        def answer(questions: Sequence[Any]) -> list[Any]:
            return list(_checked("embed", questions, self.teacher.embed(list(questions), role)))

        return np.array(self._ask("embed", partial(keys.text_key, role), texts, answer), np.float32)

    def generate(self, prompts: Sequence[str]) -> list[str]:
        """See `harness.contracts.Generator`."""

        def answer(questions: Sequence[Any]) -> list[str]:
            texts = self.teacher.generate(list(questions))
            return _counted("generate", questions, texts)

        return self._ask("generate", partial(keys.text_key, "prompt"), prompts, answer)

    def order(self, query: Query, docs: Sequence[Document]) -> Int64[np.ndarray, " docs"]:
        """See `harness.contracts.Orderer`."""

        def answer(questions: Sequence[Any]) -> list[Any]:
            return [_permutation(question, self.teacher.order(*question)) for question in questions]

        (order,) = self._ask("order", keys.list_key, [(query, docs)], answer)
        return np.array(order, np.int64)

    def _numbers(self, kind: str) -> Callable[[Sequence[Any]], list[Any]]:
        """Puts questions of a kind that is answered by one number each."""

        def answer(questions: Sequence[Any]) -> list[Any]:
            return list(_checked(kind, questions, getattr(self.teacher, kind)(list(questions))))

        return answer

    def _ask(
        self,
        kind: str,
        key: Callable[[Any], bytes],
        questions: Sequence[Any],
        answer: Callable[[Sequence[Any]], Sequence[Any]],
    ) -> list[Any]:
        by_key = {key(question): question for question in questions}
        source = Source(identity=self.identity, kind=kind, answer=self._limited(answer), description=self.description)
        answers = self.store.ask(source, by_key, self.account)
        return [answers[key(question)] for question in questions]

    def _limited(self, answer: Callable[[Sequence[Any]], Sequence[Any]]) -> Callable[[Sequence[Any]], Sequence[Any]]:
        """The same, refusing questions beyond the limit."""

        def limited(questions: Sequence[Any]) -> Sequence[Any]:
            if self.limit is not None and self.account.calls + len(questions) > self.limit:
                raise SignalError(
                    f"the budget allows {self.limit} teacher calls; {self.account.calls} are used and "
                    f"{len(questions)} more are asked for: raise the budget or ask for fewer signals"
                )
            return answer(questions)

        return limited


def remember(teacher: Teacher, description: Mapping[str, Any], limit: int | None = None) -> RememberingTeacher:
    """The teacher, answering from the user's signal store."""
    return RememberingTeacher(teacher=teacher, store=SignalStore(), description=description, limit=limit)


def _counted(kind: str, questions: Sequence[Any], answers: Any) -> Any:
    if len(answers) != len(questions):
        raise SignalError(f"the teacher gave {len(answers)} answers to {len(questions)} questions ({kind}); one each")
    return answers


def _checked(kind: str, questions: Sequence[Any], answers: Any) -> np.ndarray:
    """Numbers, one row a question, all finite.

    Raises:
        SignalError: naming the first question with another answer.
    """
    found = np.asarray(_counted(kind, questions, answers))
    wrong = ~np.isfinite(found.reshape(len(questions), -1)).all(axis=1) if len(questions) else np.zeros(0, bool)
    if wrong.any():
        question = questions[int(wrong.argmax())]
        raise SignalError(f"the teacher's {kind} is {found[wrong.argmax()]} for {_show(question)}; expected numbers")
    return found


def _permutation(question: tuple[Query, Sequence[Document]], order: Any) -> list[int]:
    query, docs = question
    found = [int(position) for position in order]
    if sorted(found) != list(range(len(docs))):
        raise SignalError(f"the teacher's order for query {query.id!r} is {found}; expected each of {len(docs)} once")
    return found


def _show(question: Any) -> str:
    """A question in a few words."""
    parts = question if isinstance(question, tuple) else (question,)
    named = [getattr(part, "id", None) or str(part)[:60] for part in parts]
    return " / ".join(map(repr, named))

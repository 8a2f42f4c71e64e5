"""What a teacher must answer: as many answers as questions, of the right shape, finite. All else is never stored."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.errors import SignalError
from harness.records import Document, Query


def gives(teacher: Any, kind: str) -> None:
    """Refuse to ask a teacher for what it doesn't give.

    Raises:
        SignalError: naming the signal and the teacher.
    """
    signal = kind.removesuffix("-lists")
    if not hasattr(teacher, signal):
        raise SignalError(f"expected a teacher that gives {signal}; {type(teacher).__name__} lacks it: take another")


def counted(kind: str, questions: Sequence[Any], answers: Any) -> Any:
    """The answers, if there is one a question.

    Raises:
        SignalError: naming the first question without an answer, if there is one.
    """
    given, asked = len(answers), len(questions)
    if given != asked:
        first = f"the first without one is {show(questions[given])}" if given < asked else "expected one each"
        raise SignalError(f"the teacher gave {given} answers to {asked} questions ({kind}); {first}")
    return answers


def numbers(kind: str, questions: Sequence[Any], answers: Any, dtype: type, dims: int = 1) -> np.ndarray:
    """The answers as an array of this type, one row a question.

    Raises:
        SignalError: a wrong number or shape of answers, or naming the first question with one that is no such number.
    """
    given = np.asarray(counted(kind, questions, answers))
    if given.ndim != dims:
        raise SignalError(
            f"the teacher's {kind} has shape {given.shape} for {len(questions)} questions; {dims} expected"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        found = given.astype(dtype)
    right = np.isfinite(found) if np.issubdtype(dtype, np.floating) else found == given
    _refuse(kind, questions, given, ~right)
    return found


def features(
    questions: Sequence[Any], answers: Mapping[str, Any], known: Mapping[str, np.ndarray] | None
) -> list[dict[str, np.ndarray]]:
    """The named arrays of each question.

    Args:
        questions: pairs.
        answers: arrays by name, one row a pair.
        known: the arrays of a pair asked earlier.

    Raises:
        SignalError: other names than before, a wrong number of rows, or naming the first pair with a number that is
            none.
    """
    if known is not None and known.keys() != answers.keys():
        raise SignalError(
            f"the teacher's features for {show(questions[0])} are {sorted(answers)}; {sorted(known)} before"
        )
    arrays = {name: np.atleast_1d(array) for name, array in answers.items()}
    for name, array in arrays.items():
        kind = f"features {name!r}"
        if array.dtype.kind not in "fiub":
            raise SignalError(f"the teacher's {kind} for {show(questions[0])} are {array.dtype}; expected numbers")
        _refuse(kind, questions, array, ~np.isfinite(counted(kind, questions, array)))
    return [{name: array[row] for name, array in arrays.items()} for row in range(len(questions))]


def permutation(question: tuple[Query, Sequence[Document]], order: Any) -> np.ndarray:
    """The order, if it names each position once.

    Raises:
        SignalError: naming the query.
    """
    query, docs = question
    found = [int(position) for position in order]
    if sorted(found) != list(range(len(docs))):
        raise SignalError(f"the teacher's order for query {query.id!r} is {found}; expected each of {len(docs)} once")
    return np.array(found, np.int32)


def _refuse(kind: str, questions: Sequence[Any], given: np.ndarray, wrong: np.ndarray) -> None:
    rows = wrong.reshape(len(questions), -1).any(axis=1) if len(questions) else wrong
    if rows.any():
        place = int(rows.argmax())
        number = np.asarray(given[place])[wrong[place]].flat[0]
        raise SignalError(f"the teacher's {kind} is {number} for {show(questions[place])}; expected numbers")


def show(question: Any) -> str:
    """A question in a few words."""
    parts = question if isinstance(question, tuple) else (question,)
    return " / ".join(f"{len(part)} documents" if isinstance(part, list) else repr(_name(part)) for part in parts)


def _name(part: Any) -> str:
    return getattr(part, "id", None) or str(part)[:60]

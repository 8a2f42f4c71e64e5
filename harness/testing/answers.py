"""How each signal is asked for in a check, and what an answer must be."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.contracts import Task
from harness.errors import ContractError
from harness.records import Document, Query
from harness.testing.tiny import odd_queries

BATCH_TOLERANCE = 1e-3
"""By how much an answer may depend on what stands beside it in a batch: padding changes the order of additions."""

PREFER_TOLERANCE = 1e-3
"""By how much P(a, b) + P(b, a) may miss 1."""

Question = Any
"""A pair for score, judge and features, a triple for prefer, (query, documents) for order, (text, role) for embed, a
prompt for generate."""


def questions(signal: str, tiny: Task) -> list[Question]:
    """Questions about the collection: each training query with its documents."""
    corpus = tiny.corpus()
    rows = {example.query: example.positives + example.negatives for example in tiny.examples()}
    return _phrased(signal, [(query, [corpus[row] for row in its]) for query, its in rows.items()])


def odd_questions(signal: str, tiny: Task) -> list[Question]:
    """Questions about the oddest queries and documents."""
    corpus = tiny.corpus()
    documents = [corpus[corpus.row_of(doc_id)] for doc_id in ("empty", "signs", "long", "ünï", "dup-1")]
    return _phrased(signal, [(query, documents) for query in odd_queries()])


def _phrased(signal: str, asked: list[tuple[Query, list[Document]]]) -> list[Question]:
    pairs = [(query, document) for query, documents in asked for document in documents]
    match signal:
        case "prefer":
            return [(query, documents[0], document) for query, documents in asked for document in documents[1:]]
        case "order":
            return [*asked]
        case "embed":
            return [(query.text, "query") for query, _ in asked] + [(d.content, "document") for _, d in pairs]
        case "generate":
            return [
                f"Write a question that this text answers.\nText: {d.content[:200]}\nQuestion:" for _, d in pairs[:6]
            ]
        case _:
            return pairs


def ask(signal: str, teacher: Any, asked: Sequence[Question]) -> list[Any]:
    """One answer a question, whatever shape the teacher gives them in.

    Raises:
        ContractError: if they are no array or list, or more or fewer than the questions.
    """
    match signal:
        case "order":
            return [teacher.order(query, documents) for query, documents in asked]
        case "embed":
            return _embedded(teacher, asked)
        case "features":
            named: dict[str, Any] = teacher.features(asked)
            parts = {name: _counted(f"features {name!r}", values, len(asked)) for name, values in named.items()}
            return [{name: values[place] for name, values in parts.items()} for place in range(len(asked))]
        case "generate":
            return _counted(signal, teacher.generate(asked), len(asked), list)
        case _:
            return list(_counted(signal, getattr(teacher, signal)(asked), len(asked)))


def _embedded(teacher: Any, asked: Sequence[tuple[str, str]]) -> list[Any]:
    """Vectors in the order of the questions, asked for role by role."""
    vectors: dict[int, Any] = {}
    for role in ("query", "document"):
        places = [place for place, (_, its) in enumerate(asked) if its == role]
        answer = _counted("embed", teacher.embed([asked[place][0] for place in places], role), len(places))
        vectors |= dict(zip(places, answer, strict=True))
    return [vectors[place] for place in range(len(asked))]


def _counted(what: str, answer: Any, count: int, shape: type = np.ndarray) -> Any:
    if not isinstance(answer, shape):
        raise ContractError(f"{what}: expected {shape.__name__}, got {type(answer).__name__}")
    if len(answer) != count:
        raise ContractError(f"{what}: expected {count} answers to {count} questions, got {len(answer)}")
    return answer


def check(signal: str, teacher: Any, asked: Sequence[Question]) -> None:
    """Ask, and check every answer.

    Raises:
        ContractError: naming the signal and the first wrong answer.
    """
    given = ask(signal, teacher, asked)
    shapes = {np.shape(answer) for answer in given} if signal == "embed" else set[Any]()
    if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
        raise ContractError(f"embed: expected vectors of one dimension for queries and documents, got {shapes}")
    for place, (question, answer) in enumerate(zip(asked, given, strict=True)):
        if words := _wrong(signal, question, answer):
            raise ContractError(f"{signal}: {words} at question {place}")


def _wrong(signal: str, question: Question, answer: Any) -> str:
    """What is wrong with an answer; empty if nothing."""
    if signal == "generate":
        return "" if isinstance(answer, str) else f"expected a text, got {type(answer).__name__}"
    if signal == "features":
        bad = [name for name, values in answer.items() if not np.isfinite(values).all()]
        return f"expected finite values, got NaN or infinity in {bad}" if bad else ""
    if signal == "order":
        expected, got = list(range(len(question[1]))), np.asarray(answer)
        return "" if sorted(got.tolist()) == expected else f"expected a permutation of {expected}, got {got.tolist()}"
    values = np.asarray(answer)
    if values.dtype.kind not in ("iu" if signal == "judge" else "f") or (signal != "embed" and values.ndim):
        wanted = "a whole number" if signal == "judge" else "a float"
        return f"expected {wanted}, got {values.dtype} of shape {values.shape}"
    if not np.isfinite(values).all():
        return f"expected finite values, got {values}"
    return f"expected a probability, got {values}" if signal == "prefer" and not 0 <= values <= 1 else ""


def same(signal: str, first: Sequence[Any], second: Sequence[Any], tolerance: float, when: str) -> None:
    """Compare answers to the same questions.

    Raises:
        ContractError: naming the signal and the first difference.
    """
    for place, (one, other) in enumerate(zip(first, second, strict=True)):
        if not _close(one, other, tolerance):
            raise ContractError(
                f"{signal}: expected the same answers {when}, got {one} and {other} at question {place}"
            )


def _close(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_close(one[name], other[name], tolerance) for name in one)
    if isinstance(one, str):
        return one == other
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True))

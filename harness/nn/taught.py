"""What a teacher says of candidate lists, as arrays; the signal store asks it only what is new."""

from typing import Any

import numpy as np
from jaxtyping import Float32, Int32

from harness.contracts import Lesson
from harness.errors import SignalError
from harness.nn.lists import Scores
from harness.nn.mining import Candidates
from harness.records import Document, Query


def within_budget(lists: Candidates, calls: int | None, each: int | None = None) -> Candidates:
    """As many of the lists as a teacher may be asked about, evenly spaced, since tasks stand one after the other.

    Args:
        lists: the lists.
        calls: how many there may be; None: any number.
        each: most that a list takes; default: one a document. A teacher that embeds takes one more, for the query.

    Raises:
        SignalError: not one.
    """
    docs = lists.rows.shape[1] if each is None else each
    if calls is not None and calls < docs:
        raise SignalError(f"the budget allows {calls} teacher calls; expected at least {docs}, for one list: raise it")
    count = len(lists) if calls is None else min(len(lists), calls // docs)
    return lists.select([place * len(lists) // count for place in range(count)])


def scorable(lesson: Lesson, lists: Candidates, teacher: Any = None, *, rounds: int = 1) -> Candidates:
    """As many of the lists as the budget has scores for; a teacher whose scores are dot products is asked for texts.

    Args:
        lesson: whose budget and teacher these are.
        lists: the lists.
        teacher: another one that gives scores.
        rounds: of scoring, which share the budget.
    """
    asked, calls = lesson.teacher if teacher is None else teacher, lesson.budget.teacher_calls
    each = lists.rows.shape[1] + getattr(asked, "scores_are_dot_products", False)
    return within_budget(lists, None if calls is None else calls // rounds, each)


def teacher_scores(lesson: Lesson, lists: Candidates, teacher: Any = None) -> Scores:
    """The teacher's score of every document of every list; the signal store asks only what is new.

    Args:
        lesson: whose teacher is asked, unless another is given.
        lists: the lists.
        teacher: another one that gives scores.

    Raises:
        SignalError: there is no teacher, or it doesn't give scores.
    """
    asked = lesson.require("score") if teacher is None else teacher
    return np.asarray(asked.score(pairs(lesson, lists)), np.float32).reshape(lists.rows.shape)


def teacher_vectors(
    lesson: Lesson, lists: Candidates, teacher: Any = None
) -> tuple[Float32[np.ndarray, "queries dim"], Float32[np.ndarray, "docs dim"]]:
    """The teacher's vectors of the queries and, by row of the corpus, of the documents of the lists (others are 0).

    Raises:
        SignalError: there is no teacher, or it doesn't give vectors.
    """
    asked = lesson.require("embed") if teacher is None else teacher
    queries = np.asarray(asked.embed([query.text for query in lists.queries], "query"), np.float32)
    rows = np.unique(lists.rows)
    vectors = np.zeros((len(lesson.corpus), queries.shape[1]), np.float32)
    vectors[rows] = asked.embed(list(lesson.corpus.contents(rows.tolist())), "document")
    return queries, vectors


def teacher_features(lesson: Lesson, lists: Candidates, *names: str) -> dict[str, np.ndarray]:
    """The teacher's arrays of every document of every list, each [queries, docs, …]; the store asks only what is new.

    Args:
        lesson: whose teacher is asked.
        lists: the lists.
        names: what must be among them.

    Raises:
        SignalError: there is no teacher, it gives no features, or not these.
    """
    asked = lesson.require("features")
    given: dict[str, np.ndarray] = asked.features(pairs(lesson, lists))
    if lacking := [name for name in names if name not in given]:
        raise SignalError(
            f"expected a teacher whose features are {', '.join(names)}; this one gives {', '.join(sorted(given))} and "
            f"lacks {', '.join(lacking)}: take another, for instance cross-encoder"
        )
    return {name: np.asarray(array).reshape(*lists.rows.shape, *array.shape[1:]) for name, array in given.items()}


def documents(lesson: Lesson, rows: Int32[np.ndarray, "..."]) -> dict[int, Document]:
    """The documents at these rows of the corpus, each read once."""
    return {row: lesson.corpus[row] for row in np.unique(rows).tolist()}


def between_percentiles(scores: Scores, low: float = 1.0, high: float = 99.0) -> Scores:
    """Scores so that two percentiles of the whole pool become 0 and 1, cut off beyond them.

    Raises:
        SignalError: both are the same.

    Source: Tamber et al., 2025 (arXiv:2502.19712), section on filtering.
    """
    least, most = np.percentile(scores, [low, high])
    if least == most:
        raise SignalError(
            f"percentiles {low:g} and {high:g} of the teacher's {scores.size} scores are both {least}; expected a "
            "teacher that tells documents apart: take another, or another way to normalise"
        )
    return np.clip((scores - least) / (most - least), 0, 1).astype(np.float32)


def pairs(lesson: Lesson, lists: Candidates) -> list[tuple[Query, Document]]:
    """Each query with each document of its list, list by list."""
    read = documents(lesson, lists.rows)
    return [(query, read[row]) for query, rows in zip(lists.queries, lists.rows.tolist(), strict=True) for row in rows]

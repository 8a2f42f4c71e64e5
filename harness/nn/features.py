"""A teacher's features of candidate lists."""

import numpy as np

from harness.contracts import Lesson
from harness.errors import SignalError
from harness.nn.mining import Candidates


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
    documents = {row: lesson.corpus[row] for row in np.unique(lists.rows).tolist()}
    pairs = [
        (query, documents[row]) for query, rows in zip(lists.queries, lists.rows.tolist(), strict=True) for row in rows
    ]
    given: dict[str, np.ndarray] = asked.features(pairs)
    if lacking := [name for name in names if name not in given]:
        raise SignalError(
            f"expected a teacher whose features are {', '.join(names)}; this one gives {', '.join(sorted(given))} and "
            f"lacks {', '.join(lacking)}: take another, for instance cross-encoder"
        )
    return {name: np.asarray(array).reshape(*lists.rows.shape, *array.shape[1:]) for name, array in given.items()}

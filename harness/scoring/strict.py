"""What a run must be before anything is computed from it: bad input never gives a number."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool

from harness.errors import ScoreError
from harness.records import Run

BLOCK = 1 << 17
"""Places of rankings looked at together."""


def check_run(run: Run, query_ids: Sequence[str], documents: int, k: int | None = None) -> None:
    """Accept a run that can be scored.

    Args:
        run: the rankings to check.
        query_ids: the queries of the split; the run must have these, in this order.
        documents: size of the corpus; rows are 0 … documents - 1.
        k: how many documents were asked for; None accepts any number.

    Raises:
        ScoreError: no `Run` of arrays; else naming the first query and place at fault: another query set or order,
            wrong shapes or dtypes, a NaN or infinite score, an unknown row, padding before a document or with a score,
            more than `k` documents, scores that are not descending, a document that comes twice.
    """
    _check_types(run)
    _check_queries(run.query_ids, query_ids)
    _check_shapes(run)
    for part in parts(run):
        for wrong, what in _faults(part, documents, k):
            if wrong.any():
                query, place = np.argwhere(wrong)[0]
                found = f"row {part.rows[query, place]}, score {part.scores[query, place]}"
                raise ScoreError(f"query {part.query_ids[query]!r}, rank {place + 1} ({found}): {what}")
        _check_duplicates(part)


def parts(run: Run) -> Iterator[Run]:
    """Its rankings, some at a time, so that what is computed of a part goes where that of the last part was.

    One empty part if there are no rankings.
    """
    size = max(1, BLOCK // max(run.k, 1))
    for start in range(0, max(len(run), 1), size):
        part = slice(start, start + size)
        yield Run(query_ids=run.query_ids[part], rows=run.rows[part], scores=run.scores[part])


def _check_types(run: Any) -> None:
    """A plugin may return anything, and anything may stand in the fields of a `Run`."""
    if not isinstance(run, Run):
        raise ScoreError(f"expected a Run (harness.records.Run), got {type(run).__name__}; return one")
    ids: Any = run.query_ids
    if not isinstance(ids, tuple | list) or not all(isinstance(query, str) for query in ids):
        raise ScoreError(f"expected query ids as a tuple of texts, got {type(ids).__name__}; give those of the queries")
    arrays: dict[str, Any] = {"rows": run.rows, "scores": run.scores}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):  # which hides what stands in it
            raise ScoreError(f"expected {name} as a numpy array, got {type(array).__name__}; convert them")


def _check_queries(given: Sequence[str], expected: Sequence[str]) -> None:
    if tuple(given) == tuple(expected):
        return
    known, answered = set(expected), set(given)
    for query in given:
        if query not in known:
            raise ScoreError(f"query {query!r} is not in the split; a run answers the split's queries and no others")
    for query in expected:
        if query not in answered:
            raise ScoreError(f"query {query!r} is missing; a query without results is an empty ranking (row -1)")
    if len(given) != len(expected):
        raise ScoreError(f"expected {len(expected)} queries, each once, got {len(given)}; some come twice")
    place, query = next((i, q) for i, (q, e) in enumerate(zip(given, expected, strict=True)) if q != e)
    raise ScoreError(f"query {query!r} stands where {expected[place]!r} was expected; keep the order of the queries")


def _check_shapes(run: Run) -> None:
    for name, array, dtype in (("rows", run.rows, np.int32), ("scores", run.scores, np.float32)):
        if array.dtype != dtype:
            raise ScoreError(f"{name} of a run must be {np.dtype(dtype)}, got {array.dtype}; convert them")
    if run.rows.ndim != 2 or run.rows.shape != run.scores.shape or len(run.rows) != len(run):
        shapes = f"rows {run.rows.shape} and scores {run.scores.shape}"
        raise ScoreError(f"expected rows and scores of shape ({len(run)}, k), one row a query, got {shapes}")


def _faults(run: Run, documents: int, k: int | None) -> Iterator[tuple[Bool[np.ndarray, "queries places"], str]]:
    rows, scores, found = run.rows, run.scores, run.rows >= 0
    yield np.isnan(scores), "the score is NaN; expected a number"
    yield scores == np.inf, "the score is infinite; expected a finite one"
    yield (rows < -1) | (rows >= documents), f"no such document; rows go from 0 to {documents - 1}, or -1 for none"
    yield ~found & (scores != -np.inf), "no document but a score; expected -inf where the row is -1"
    yield found & (scores == -np.inf), "a document with score -inf; expected a finite score, or row -1"
    yield _from_second(found[:, 1:] & ~found[:, :-1]), "a document after the end of the ranking; -1 only at the end"
    yield _from_second(scores[:, 1:] > scores[:, :-1]), "a higher score than the rank before; sort scores descending"
    if k is not None:
        too_deep = found.copy()
        too_deep[:, :k] = False
        yield too_deep, f"more documents than asked for; expected at most {k}"


def _from_second(wrong: Bool[np.ndarray, "queries later"]) -> Bool[np.ndarray, "queries places"]:
    """The same faults, counted from the first place instead of the second."""
    return np.pad(wrong, ((0, 0), (1, 0)))


def _check_duplicates(run: Run) -> None:
    """Sort each ranking's rows: equal ones come together."""
    rows = np.sort(run.rows, axis=1)
    twice = ((rows[:, 1:] == rows[:, :-1]) & (rows[:, 1:] >= 0)).any(axis=1)
    if twice.any():
        raise _duplicate(run, int(twice.argmax()))


def _duplicate(run: Run, query: int) -> ScoreError:
    """What is said of a ranking in which a document comes twice."""
    rows: list[int] = run.rows[query].tolist()
    last = {row: place for place, row in enumerate(rows)}
    first = next(place for place, row in enumerate(rows) if last[row] != place)
    where = f"ranks {first + 1} and {last[rows[first]] + 1}"
    return ScoreError(f"query {run.query_ids[query]!r}: row {rows[first]} comes twice ({where}); keep one")

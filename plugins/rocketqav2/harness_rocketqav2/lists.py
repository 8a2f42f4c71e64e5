"""Hybrid augmentation: lists as they were mined, and lists without what a teacher takes for false negatives."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32

from harness.errors import DataError
from harness.nn.mining import Candidates


class Denoised(NamedTuple):
    """Lists with what counts in each."""

    candidates: Candidates
    """The lists, a positive in column 0."""
    counts: Bool[np.ndarray, "lists docs"]
    """False for documents that are neither its positive nor trusted as negatives."""


def hybrid(
    candidates: Candidates,
    scores: Float32[np.ndarray, "queries docs"],
    kind: Literal["both", "raw", "denoised"],
    *,
    doubtful: float,
    trusted: float,
    draw: int,
) -> Denoised:
    """Raw lists, denoised lists (at most one a query), or one after the other.

    Args:
        candidates: the mined lists.
        scores: a teacher's, of the lists.
        kind: which lists are wanted.
        doubtful: place (see `places`) from which on a document is no negative of a denoised list.
        trusted: place from which on a document may be the positive.
        draw: seed of which one is.

    Raises:
        DataError: denoised lists are wanted, and there is none with a negative.
    """
    raw = Denoised(candidates, np.ones(candidates.rows.shape, bool))
    if kind == "raw":
        return raw
    clean = denoised(candidates, places(scores), doubtful=doubtful, trusted=trusted, draw=draw)
    if kind == "denoised" and not len(clean.candidates):
        raise DataError(
            f"the teacher leaves no negative below {doubtful} in any of {len(candidates)} lists; raise doubtful, or "
            "take lists=both"
        )
    return clean if kind == "denoised" else _joined(raw, clean)


def places(scores: Float32[np.ndarray, "queries docs"]) -> Float32[np.ndarray, "queries docs"]:
    """Where each score lies between the lowest of its list (0) and the positive's (1); blind to shift and scale.

    Where nothing is below the positive, the teacher contradicts the label: all places are NaN.
    """
    lowest = scores.min(axis=1, keepdims=True)
    spread = scores[:, :1] - lowest
    return np.where(spread > 0, (scores - lowest) / np.where(spread > 0, spread, 1), np.nan).astype(np.float32)


def denoised(
    candidates: Candidates, where: Float32[np.ndarray, "queries docs"], *, doubtful: float, trusted: float, draw: int
) -> Denoised:
    """Each list without doubtful negatives; its positive, in column 0, is drawn from the labelled one and trusted ones.

    Lists without negatives are left out.
    """
    each = np.arange(len(where))
    columns = np.array([_positive(line >= trusted, (draw, number)) for number, line in enumerate(where)], np.int64)
    rows, counts = candidates.rows.copy(), where < doubtful
    rows[each, columns], rows[:, 0] = rows[:, 0].copy(), rows[each, columns]
    counts[each, columns], counts[:, 0] = False, True
    kept = np.flatnonzero(counts.sum(axis=1) > 1).tolist()
    chosen = candidates.select(kept)
    return Denoised(Candidates(queries=chosen.queries, rows=rows[kept]), counts[kept])


def _positive(trusted: Bool[np.ndarray, " docs"], seed: tuple[int, int]) -> int:
    """A column: 0, or one of a trusted document, each as likely as any other."""
    return int(np.random.default_rng(seed).choice([0, *(1 + np.flatnonzero(trusted[1:]))]))


def _joined(first: Denoised, second: Denoised) -> Denoised:
    rows = np.concatenate([first.candidates.rows, second.candidates.rows])
    queries = first.candidates.queries + second.candidates.queries
    return Denoised(Candidates(queries=queries, rows=rows), np.concatenate([first.counts, second.counts]))

"""Scores of several teachers → one score."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64

from harness.card import Use
from harness.config import digest
from harness.contracts import Context, Scorer
from harness.errors import ContractError, SignalError
from harness.records import Document, Query
from harness_ensemble import Config

Scores = Float64[np.ndarray, "parts pairs"]


def scaled(scores: Scores) -> Scores:
    """Each part's scores of one query from 0, the lowest, to 1, the highest; 0 where all are equal."""
    lowest = scores.min(axis=1, keepdims=True)
    span = scores.max(axis=1, keepdims=True) - lowest
    return (scores - lowest) / np.where(span > 0, span, 1)


def reciprocal_ranks(scores: Scores, k: int) -> Scores:
    """1 / (k + rank) of each part's scores of one query; equal scores share the best of their ranks."""
    above = (scores[:, None, :] > scores[:, :, None]).sum(axis=2)
    return 1 / (k + 1 + above)


class Ensemble:
    """A `harness.contracts.Scorer` over others."""

    def __init__(self, config: Config, context: Context) -> None:
        """Build the parts.

        Raises:
            SignalError: if one of them gives no scores.
        """
        self._config = config
        self._parts = [_scorer(part, context) for part in config.parts]

    @property
    def identity(self) -> str:
        """Digest of the parts' identities and of how they are combined."""
        parts = [part.identity for part in self._parts]
        return digest(["ensemble", self._config.method, self._config.k, parts])

    @property
    def scores_depend_on_list(self) -> bool:
        """Whether a score holds within its list only; the signal store asks (`harness.signals.teacher`)."""
        parts = any(getattr(part, "scores_depend_on_list", False) for part in self._parts)
        return parts or self._config.method != "mean"

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        """Combined scores; pairs of one query are one candidate list, wherever they stand.

        Raises:
            ContractError: if a part gives a wrong number of scores, or one that is not finite.
        """
        given = np.array([self._given(place, pairs) for place in range(len(self._parts))], np.float64)
        if self._config.method != "mean" and pairs:
            _, queries = np.unique([query.id for query, _ in pairs], return_inverse=True)
            ends = np.cumsum(np.bincount(queries))
            for places in np.split(np.argsort(queries, kind="stable"), ends[:-1]):
                given[:, places] = self._combined(given[:, places])
        return given.mean(axis=0).astype(np.float32)

    def _combined(self, scores: Scores) -> Scores:
        return scaled(scores) if self._config.method == "min-max" else reciprocal_ranks(scores, self._config.k)

    def _given(self, place: int, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        scores = np.asarray(self._parts[place].score(pairs))
        name = self._config.parts[place].name
        if scores.shape != (len(pairs),):
            raise ContractError(f"{name}: expected {len(pairs)} scores for as many pairs, got shape {scores.shape}")
        if not (finite := np.isfinite(scores)).all():
            query, document = pairs[int(finite.argmin())]
            raise ContractError(
                f"{name}: expected finite scores, got {scores[finite.argmin()]} for query {query.id!r} and document "
                f"{document.id!r}"
            )
        return scores


def _scorer(use: Use, context: Context) -> Scorer:
    part = context.build(use)
    if not isinstance(part, Scorer):
        raise SignalError(f"ensemble: expected teachers that give scores, {use.name} gives none; take another")
    return part

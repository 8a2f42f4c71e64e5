"""Preferences and orders that follow from scores."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int64
from scipy.special import expit

from harness.config import digest
from harness.contracts import Context, Scorer
from harness.errors import SignalError
from harness.records import Document, Query
from harness.signals.keys import pair_key
from harness_bradley_terry import Config

Pair = tuple[Query, Document]


class BradleyTerry:
    """A `harness.contracts.Scorer`, `Preferrer` and `Orderer`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Build the teacher that scores.

        Raises:
            SignalError: if it gives no scores.
        """
        self._config = config
        self._teacher: Scorer = context.build(config.scores)
        if not isinstance(self._teacher, Scorer):
            raise SignalError(
                f"bradley-terry: expected a teacher that gives score, {config.scores.name} does not; take another"
            )

    @property
    def identity(self) -> str:
        """Digest of the scoring teacher's identity and the scale."""
        return digest(["bradley-terry", self._teacher.identity, self._config.scale])

    def score(self, pairs: Sequence[Pair]) -> Float32[np.ndarray, " pairs"]:
        """Strengths: scale · the teacher's score."""
        return np.float32(self._config.scale) * self._teacher.score(pairs)

    def prefer(self, triples: Sequence[tuple[Query, Document, Document]]) -> Float32[np.ndarray, " triples"]:
        """σ(strength(a) - strength(b)); each distinct pair of query and document is scored once."""
        first = [(query, document) for query, document, _ in triples]
        second = [(query, document) for query, _, document in triples]
        strengths = self._scores([*first, *second])
        return expit(strengths[: len(first)] - strengths[len(first) :]).astype(np.float32)

    def order(self, query: Query, docs: Sequence[Document]) -> Int64[np.ndarray, " docs"]:
        """By strength, descending; documents of one strength stay as they stand."""
        return np.argsort(-self._scores([(query, document) for document in docs]), kind="stable").astype(np.int64)

    def _scores(self, pairs: Sequence[Pair]) -> np.ndarray:
        """Strengths in float64: equal content, equal strength."""
        keys = [pair_key(pair) for pair in pairs]
        distinct = dict(zip(keys, pairs, strict=True))
        if not distinct:
            return np.empty(0)
        scores = dict(zip(distinct, self.score([*distinct.values()]).astype(float), strict=True))
        return np.array([scores[key] for key in keys])

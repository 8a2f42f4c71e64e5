"""Preferences by a language model that sees both orders of a pair."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from harness.config import digest
from harness.contracts import Context
from harness.nn import checkpoint
from harness.records import Document, Query
from harness.text.fitting import fitted
from harness.text.model import LanguageModel, Prompt
from harness.text.opening import open_model
from harness_prp_distill import TeacherConfig
from harness_prp_distill.prompt import OPTIONS, TASK, pair_prompt

GRID = 2.0**24
"""Probabilities are multiples of 1/GRID, so that p and 1 - p are both exact in float32."""

Texts = tuple[str, str, str]
"""A query and two passages, A and B."""


class PairwisePrompting:
    """A `harness.contracts.Preferrer`."""

    def __init__(self, config: TeacherConfig, model: LanguageModel) -> None:
        """Ask this model."""
        self._config, self._model = config, model

    @property
    def identity(self) -> str:
        """Digest of model, precision, prompt and words."""
        orders = [] if self._config.both_orders else ["as asked"]
        return digest(["prp", self._model.identity, TASK, OPTIONS, self._config.words, *orders])

    def prefer(self, triples: Sequence[tuple[Query, Document, Document]]) -> Float32[np.ndarray, " triples"]:
        """Mean of the probabilities that the first is chosen as A and as B: P(a, b) + P(b, a) is exactly 1 in a call.

        Without `both_orders`, the probability that the first is chosen as A.
        0.5 where either answer can't be read as A or B.

        Raises:
            DataError: if two passages do not fit into what the model reads, however short they are cut.
            SignalError: if an endpoint gives no answer.
        """
        asked = [(query.text, first.content, second.content) for query, first, second in triples]
        if not self._config.both_orders:
            as_a = self._choose_a(sorted(set(asked)))
            return np.array([_debiased(as_a[one], 1 - as_a[one]) for one in asked], np.float32)
        both = [(one, (one[0], one[2], one[1])) for one in asked]
        first_wins = self._choose_a(sorted({texts for pair in both for texts in pair}))
        return np.array([_debiased(first_wins[there], first_wins[back]) for there, back in both], np.float32)

    def _choose_a(self, asked: Sequence[Texts]) -> dict[Texts, float]:
        """Probability that the model chooses A, for each question; NaN where it chooses neither."""
        given = self._model.choose([self._prompt(texts) for texts in asked], OPTIONS)
        return dict(zip(asked, given[:, 0].tolist(), strict=True))

    def _prompt(self, texts: Texts) -> Prompt:
        return fitted(self._model, lambda words: pair_prompt(*texts, words), self._config.words, 1)


def _debiased(there: float, back: float) -> float:
    """The first passage's probability: that of A where it stood first, that of B where it stood second."""
    mean = (there + 1 - back) / 2
    return 0.5 if np.isnan(mean) else round(mean * GRID) / GRID


def build(config: TeacherConfig, context: Context) -> PairwisePrompting:
    """The teacher with the model that its configuration names."""
    return PairwisePrompting(config, open_model(config, context, checkpoint))

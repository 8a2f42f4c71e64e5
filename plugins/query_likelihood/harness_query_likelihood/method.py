"""Mean log-probability of the query after the document."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from harness.config import digest
from harness.contracts import Context
from harness.nn import checkpoint
from harness.records import Document, Query
from harness.text.causal import load_causal_lm
from harness.text.likelihood import log_probabilities
from harness_query_likelihood import Config

SLACK = 16
"""Tokens kept free: marks of the tokeniser, and what a text gains when it is tokenised again after a cut."""


class QueryLikelihood:
    """A `harness.contracts.Scorer`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Load the language model."""
        trusted = config.model in context.trust_remote_code
        folder = checkpoint.locate(config.model, code=trusted)
        self._lm = load_causal_lm(folder, device=context.device, trust_remote_code=trusted)
        self._config = config
        first = config.prompt.removesuffix("{query}")
        self._blank = " " if first.endswith(" ") else ""  # most tokenisers know a word with the blank before it
        self._before, _, self._between = first.removesuffix(" ").partition("{document}")

    @property
    def identity(self) -> str:
        """Digest of weights, prompt, maximum length and precision."""
        config = self._config
        weights = checkpoint.identity(config.model)
        return digest(["query-likelihood", weights, config.prompt, config.max_length, "float32"])

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        """Mean log-probability of the query's tokens; 0 for a query that has none."""
        queries = {query.text for query, _ in pairs}
        documents = {document.content for _, document in pairs}
        half = self._lm.context // 2 - SLACK
        after = {text: self._blank + self._lm.cut(text, half) for text in queries}
        room = half - len(self._lm.encode([self._before + self._between])[0])
        before = {text: self._prompt(text, max(1, min(self._config.max_length, room))) for text in documents}
        asked = [(before[document.content], after[query.text]) for query, document in pairs]
        means = [values.mean() if len(values) else 0.0 for values in log_probabilities(self._lm, asked)]
        return np.array(means, np.float32)

    def _prompt(self, document: str, tokens: int) -> str:
        return f"{self._before}{self._lm.cut(document, tokens)}{self._between}"

"""Orders by a language model, window by window."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from harness.config import digest
from harness.contracts import Context
from harness.nn import checkpoint
from harness.records import Document, Query
from harness.text.fitting import fitted
from harness.text.model import LanguageModel
from harness.text.opening import open_model
from harness_rankgpt import Config
from harness_rankgpt.permutation import parse_order, windows
from harness_rankgpt.prompt import SYSTEM, TASK, permutation_prompt

TOKENS = 8
"""Room in the answer for each passage: its number, brackets, and the sign before the next."""


class RankGPT:
    """A `harness.contracts.Orderer`."""

    def __init__(self, config: Config, model: LanguageModel) -> None:
        """Ask this model."""
        self._config, self._model = config, model

    @property
    def identity(self) -> str:
        """Digest of model, precision, prompt, window, step and words."""
        config = self._config
        return digest(["rankgpt", self._model.identity, SYSTEM, TASK, TOKENS, config.window, config.step, config.words])

    def order(self, query: Query, docs: Sequence[Document]) -> Int64[np.ndarray, " docs"]:
        """Positions after one pass of the window from the end of the list to its start.

        Raises:
            DataError: if a window does not fit into what the model reads, however short its passages are cut.
            SignalError: if an endpoint gives no answer.
        """
        order = list(range(len(docs)))
        if len(docs) > 1:
            for window in windows(len(docs), self._config.window, self._config.step):
                seen = order[window]
                order[window] = [seen[place] for place in self._ordered(query, [docs[place] for place in seen])]
        return np.array(order, np.int64)

    def _ordered(self, query: Query, docs: Sequence[Document]) -> list[int]:
        """One window: one call."""
        passages, room = [document.content for document in docs], TOKENS * len(docs)
        prompt = fitted(
            self._model, lambda words: permutation_prompt(query.text, passages, words), self._config.words, room
        )
        (answer,) = self._model.write([prompt], max_new_tokens=room)
        return parse_order(answer, len(docs))


def build(config: Config, context: Context) -> RankGPT:
    """The teacher with the model that its configuration names."""
    return RankGPT(config, open_model(config, context, checkpoint))

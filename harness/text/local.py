"""A language model on this machine."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from harness.text.causal import CausalLM, Ids
from harness.text.chat import encode_chat, encode_plain
from harness.text.choices import choice_probabilities
from harness.text.generation import continuations
from harness.text.model import Prompt, conversation


class LocalModel:
    """A `harness.text.model.LanguageModel`."""

    def __init__(self, lm: CausalLM, *, weights: str, chat: bool | None = None) -> None:
        """Decide how it is spoken to.

        Args:
            lm: the model.
            weights: what its weights and precision are known by.
            chat: whether prompts go through its chat template; None if it has one.
        """
        self._lm, self._weights = lm, weights
        self._chat = bool(lm.tokenizer.chat_template) if chat is None else chat
        self._encode = encode_chat if self._chat else encode_plain

    @property
    def identity(self) -> str:
        """Weights, precision, chat template or none; the template is part of the checkpoint."""
        return f"{self._weights} {'chat' if self._chat else 'plain'}"

    def fits(self, prompt: Prompt, new_tokens: int) -> bool:
        """See `harness.text.model.LanguageModel`."""
        return len(self._ids(prompt)) + new_tokens <= self._lm.context

    def write(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        stop: Sequence[str] = (),
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """See `harness.text.model.LanguageModel`."""
        encoded = [self._ids(prompt) for prompt in prompts]
        return continuations(
            self._lm, encoded, max_new_tokens=max_new_tokens, stop=stop, temperature=temperature, seed=seed
        )

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> Float32[np.ndarray, "prompts options"]:
        """See `harness.text.model.LanguageModel`; without a chat template a blank stands before an option."""
        blank = "" if self._chat else " "
        encoded = [self._ids(prompt) for prompt in prompts]
        return choice_probabilities(self._lm, encoded, self._lm.encode([blank + option for option in options]))

    def _ids(self, prompt: Prompt) -> Ids:
        return self._encode(self._lm, conversation(prompt))

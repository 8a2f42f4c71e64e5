"""A language model behind an OpenAI-compatible endpoint, asked by chat completions."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from jaxtyping import Float32

from harness.text.address import MARK, parse_address
from harness.text.connection import connect, key_in
from harness.text.model import Prompt, conversation, until
from harness.text.replies import chosen_in, parsed, probabilities_of, text_of
from harness.text.retries import Rejected, post
from harness.text.settings import ModelConfig

ANSWER = 8
"""Tokens of an answer that chooses: some models put a word or a sign before the letter."""

LIKELIEST = 20
"""Tokens whose probabilities are asked for; the most that the interface allows."""

STOPS = 4
"""Stop texts that the interface takes; further ones are looked for in the answer."""

Ask = Callable[[Any, Prompt], Any]


class Endpoint:
    """A `harness.text.model.LanguageModel`; the key is read from the environment when it is asked, and never kept."""

    def __init__(self, config: ModelConfig) -> None:
        """Note the address; nothing is sent."""
        self._url, self._model = parse_address(config.model)
        self._config = config
        self._tells_probabilities = True

    @property
    def identity(self) -> str:
        """Address and model: what is behind them, the endpoint alone knows."""
        return f"{MARK}{self._url}#{self._model} chat"

    def fits(self, prompt: Prompt, new_tokens: int) -> bool:
        """True: an endpoint doesn't say what it can read."""
        return True

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
        wanted: dict[str, Any] = {"max_tokens": max_new_tokens, "temperature": temperature}
        wanted |= {"stop": list(stop[:STOPS])} if stop else {}
        wanted |= {"seed": seed} if temperature > 0 else {}
        replies = self._all(prompts, lambda client, prompt: self._reply(client, prompt, wanted))
        texts = [text_of(reply, _about(prompt)) for prompt, reply in zip(prompts, replies, strict=True)]
        return [until(text, stop) for text in texts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> Float32[np.ndarray, "prompts options"]:
        """See `harness.text.model.LanguageModel`; where probabilities aren't told, the option that is named has 1."""
        rows = [
            _row(reply, prompt, options)
            for prompt, reply in zip(prompts, self._all(prompts, self._choice), strict=True)
        ]
        return np.array(rows, np.float32).reshape(len(prompts), len(options))

    def _all(self, prompts: Sequence[Prompt], ask: Ask) -> list[Any]:
        """A reply to each prompt, some asked at once; the first error ends it."""
        if not prompts:
            return []
        with (
            connect(key_in(self._config.key_variable), self._config.timeout) as client,
            ThreadPoolExecutor(self._config.parallel) as threads,
        ):
            return list(threads.map(lambda prompt: ask(client, prompt), prompts))

    def _choice(self, client: Any, prompt: Prompt) -> Any:
        """With probabilities, unless the endpoint refuses requests for them."""
        wanted: dict[str, Any] = {"max_tokens": ANSWER, "temperature": 0.0}
        if self._tells_probabilities:
            try:
                return self._reply(client, prompt, {**wanted, "logprobs": True, "top_logprobs": LIKELIEST})
            except Rejected as error:
                if error.status not in (400, 422):
                    raise
        reply = self._reply(client, prompt, wanted)
        self._tells_probabilities = False  # the request as such was fine
        return reply

    def _reply(self, client: Any, prompt: Prompt, wanted: dict[str, Any]) -> Any:
        messages = [{"role": message.role, "content": message.text} for message in conversation(prompt)]
        body = {"model": self._model, "messages": messages, **wanted}
        about, url = _about(prompt), f"{self._url}/chat/completions"
        try:
            return parsed(post(client, url, body, tries=self._config.tries, about=about).text, about)
        except Rejected as error:
            if error.status not in (401, 403):
                raise
            raise Rejected(f"{error}; the key is that in {self._config.key_variable}", error.status) from None


def _row(reply: Any, prompt: Prompt, options: Sequence[str]) -> list[float]:
    if told := probabilities_of(reply, options):
        return told
    place = chosen_in(text_of(reply, _about(prompt)), options)
    return [np.nan if place is None else float(place == own) for own in range(len(options))]


def _about(prompt: Prompt) -> str:
    """How a prompt is named in messages."""
    return f"prompt {conversation(prompt)[-1].text[:60]!r}"

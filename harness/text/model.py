"""What a language model can be asked, wherever it runs."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

Role = Literal["system", "user", "assistant"]


class Message(NamedTuple):
    """One message of a conversation."""

    role: Role
    """Who speaks."""
    text: str
    """What is said."""


Prompt = str | tuple[Message, ...]
"""A conversation, or a text: what the user says to a model that chats, what another goes on from."""


@runtime_checkable
class LanguageModel(Protocol):
    """Writes texts and chooses between answers; `harness.text.opening` makes one of a name."""

    @property
    def identity(self) -> str:
        """Weights, precision, and whether prompts go through a chat template."""
        ...

    def fits(self, prompt: Prompt, new_tokens: int) -> bool:
        """Whether it can read the prompt and write so many tokens; True where that isn't known."""
        ...

    def write(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        stop: Sequence[str] = (),
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """One answer a prompt, up to the first of the `stop` texts.

        Raises:
            DataError: if a prompt is too long.
            SignalError: if an endpoint gives no answer, or one that makes no sense.
        """
        ...

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> Float32[np.ndarray, "prompts options"]:
        """Probability that the answer is each of these options; rows add up to 1.

        A row is NaN where the model's answer can't be read as one of them. Raises as `write` does.
        """
        ...


def conversation(prompt: Prompt) -> tuple[Message, ...]:
    """The prompt as messages."""
    return (Message("user", prompt),) if isinstance(prompt, str) else prompt


def until(text: str, stop: Sequence[str]) -> str:
    """The text up to the first of these."""
    places = [place for word in stop if (place := text.find(word)) >= 0]
    return text[: min(places, default=len(text))]

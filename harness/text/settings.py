"""Knobs of every plugin that asks a language model; nothing heavy is imported."""

from dataclasses import dataclass
from typing import Literal

from harness.card import knob
from harness.text.address import is_endpoint, parse_address

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Which model, and how it is reached; a plugin's Config adds its own knobs to these."""

    model: str = knob(
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "causal language model, or endpoint:https://HOST/v1#MODEL of one behind an OpenAI-compatible interface",
        checkpoint=True,
    )
    chat: bool | None = knob(None, "put prompts into the model's chat template; none: if it has one")
    precision: Precision = knob("float32", "numbers that a local model computes with")
    key_variable: str = knob("OPENAI_API_KEY", "environment variable that holds the endpoint's key, which is not kept")
    timeout: float = knob(60.0, "how long an endpoint may be silent", unit="seconds", low=0.01)
    tries: int = knob(5, "how often an endpoint is asked before giving up", unit="requests", low=1)
    parallel: int = knob(4, "how much an endpoint is asked at once", unit="requests", low=1)

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        if is_endpoint(self.model):
            parse_address(self.model)
            if self.chat is False:
                raise ValueError("option 'chat' expects true or none with an endpoint, which only chats, got false")

"""Knobs of every plugin that asks a language model; nothing heavy is imported."""

import re
from dataclasses import dataclass
from typing import Literal

from harness.card import knob
from harness.text.address import is_endpoint, parse_address

VARIABLE = re.compile("[A-Z_][A-Z0-9_]{0,59}")
"""Names of environment variables; keys have small letters or other signs too."""

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
        if not VARIABLE.fullmatch(self.key_variable):  # not shown: it may be the key itself, which must not be stored
            raise ValueError(
                "option 'key_variable' expects the NAME of an environment variable, in capitals; got other"
            )
        if is_endpoint(self.model):
            parse_address(self.model)
            if self.chat is False:
                raise ValueError("option 'chat' expects true or none with an endpoint, which only chats, got false")

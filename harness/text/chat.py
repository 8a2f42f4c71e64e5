"""Messages → the tokens that a local model reads."""

from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError

from harness.errors import CheckpointError
from harness.text.causal import CausalLM, Ids
from harness.text.model import Message

SETTINGS = {"enable_thinking": False, "date_string": "1 January 2025"}
"""For the templates that know them: the answer comes at once, and is the same tomorrow."""


def encode_chat(lm: CausalLM, messages: Sequence[Message]) -> Ids:
    """Tokens of a conversation in the tokeniser's chat template, up to where the answer begins.

    What stands in a message can't end it: special tokens in it are read as blanks. Where a template has no place for a
    system message, it opens the first message of the user.

    Raises:
        CheckpointError: if there is no template, or it can't hold these messages.
    """
    if not lm.tokenizer.chat_template:
        raise CheckpointError("expected a tokeniser with a chat template, got one without; take another or chat=false")
    clean = [Message(message.role, _without_marks(lm.tokenizer, message.text)) for message in messages]
    try:
        text = _templated(lm.tokenizer, clean)
    except TemplateError:
        text = _merged(lm.tokenizer, clean)
    return lm.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]


def encode_plain(lm: CausalLM, messages: Sequence[Message]) -> Ids:
    """Tokens of the messages' texts, one below the other."""
    return lm.encode_first(["\n\n".join(message.text for message in messages)])[0]


def _templated(tokenizer: Any, messages: Sequence[Message]) -> str:
    asked = [{"role": message.role, "content": message.text} for message in messages]
    return tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True, **SETTINGS)


def _merged(tokenizer: Any, messages: Sequence[Message]) -> str:
    """The same with all system messages at the start of the first other one."""
    system = "".join(f"{message.text}\n\n" for message in messages if message.role == "system")
    others = [message for message in messages if message.role != "system"]
    others[:1] = [Message(first.role, system + first.text) for first in others[:1]]
    try:
        return _templated(tokenizer, others)
    except TemplateError as error:
        raise CheckpointError(
            f"expected a chat template that takes {', '.join(message.role for message in messages)}, got: {error}; "
            "take another model or chat=false"
        ) from error


def _without_marks(tokenizer: Any, text: str) -> str:
    for mark in sorted(tokenizer.all_special_tokens, key=len, reverse=True):
        text = text.replace(mark, " ")
    return text

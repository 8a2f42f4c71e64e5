"""What an endpoint's reply to a chat completion says; whatever it holds, the result is valid or an error in words."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from harness.errors import SignalError

BLANKS = " \t\r\n▁Ġ"
"""White space, and how tokenisers write it."""


def parsed(text: str, about: str) -> Any:
    """The reply's JSON.

    Raises:
        SignalError: if it is none.
    """
    try:
        return json.loads(text)
    except ValueError:
        raise _malformed(about, "JSON", text) from None


def text_of(reply: Any, about: str) -> str:
    """The text of the first choice.

    Raises:
        SignalError: if there is no choice, or it has no text: a refusal, or a budget of tokens used up by thoughts.
    """
    match reply:
        case {"choices": [{"message": {"content": str(text)}}, *_]} if text.strip():
            return text
        case _:
            raise _malformed(about, "a choice with a text", json.dumps(reply))


def probabilities_of(reply: Any, options: Sequence[str]) -> list[float] | None:
    """Probability of each option at the first token that isn't blank, among the options; None if not told.

    A token counts for an option if it is that option but for white space. An option that is not among the likeliest
    tokens has probability 0.
    """
    masses = [0.0] * len(options)
    for token, logprob in _candidates(reply):
        if token in options:
            masses[options.index(token)] += math.exp(min(logprob, 0.0))
    total = sum(masses)
    return [mass / total for mass in masses] if total > 0 else None  # not true of NaN either


def chosen_in(text: str, options: Sequence[str]) -> int | None:
    """Position of the option that an answer names: as its first word, or as the only one; None if it can't be told."""
    words = re.findall(r"\w+", text)
    named = {word for word in words if word in options}
    if words and words[0] in options:
        return options.index(words[0])
    return options.index(named.pop()) if len(named) == 1 else None


def _candidates(reply: Any) -> Iterator[tuple[str, float]]:
    """Likeliest tokens and their log-probabilities where the answer's first token that isn't blank stands."""
    match reply:
        case {"choices": [{"logprobs": {"content": [*tokens]}}, *_]}:
            pass
        case _:
            return
    for token in tokens:
        match token:
            case {"token": str(written), "top_logprobs": [*likeliest]} if written.strip(BLANKS):
                yield from _pairs(likeliest)
                return
            case _:
                continue


def _pairs(likeliest: Sequence[Any]) -> Iterator[tuple[str, float]]:
    for one in likeliest:
        match one:
            case {"token": str(token), "logprob": int() | float() as logprob}:
                yield token.strip(BLANKS), float(logprob)
            case _:
                continue


def _malformed(about: str, expected: str, came: str) -> SignalError:
    return SignalError(
        f"{about}: expected {expected} from the endpoint, got {came[:300] or 'nothing'!r}; does it speak OpenAI's chat "
        "completions, and is the answer given enough tokens?"
    )

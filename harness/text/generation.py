"""What a causal language model writes after a text."""

from collections.abc import Sequence
from typing import Any

import torch

from harness.text.causal import CausalLM, Ids
from harness.text.model import until

PROMPTS = 8
"""Prompts in a batch."""


def generate(lm: CausalLM, prompts: Sequence[str], **wanted: Any) -> list[str]:
    """What the model writes after each text, taken as it is; see `continuations`."""
    return continuations(lm, lm.encode_first(prompts), **wanted)


def continuations(
    lm: CausalLM,
    encoded: Sequence[Ids],
    *,
    max_new_tokens: int,
    stop: Sequence[str] = (),
    temperature: float = 0.0,
    seed: int = 0,
) -> list[str]:
    """What the model writes after each prompt, without the prompt.

    Args:
        lm: the language model.
        encoded: tokens of prompts, none empty.
        max_new_tokens: where to stop at the latest.
        stop: texts before which to stop.
        temperature: 0 takes the likeliest token each time; above 0, tokens are drawn.
        seed: all chance comes from it; what is drawn for a prompt depends on the others in the call.

    Raises:
        DataError: if a prompt leaves no room for the new tokens.
    """
    for ids in encoded:
        lm.check_fits(len(ids) + max_new_tokens)
    wanted: dict[str, Any] = {"max_new_tokens": max_new_tokens, "do_sample": temperature > 0}
    wanted |= {"temperature": temperature, "top_k": 0} if temperature > 0 else {}
    wanted |= {"stop_strings": list(stop), "tokenizer": lm.tokenizer} if stop else {}
    written = [""] * len(encoded)
    order = sorted(range(len(encoded)), key=lambda place: len(encoded[place]))
    device = lm.model.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for start in range(0, len(order), PROMPTS):
            places = order[start : start + PROMPTS]
            for place, text in zip(places, _write(lm, [encoded[own] for own in places], wanted), strict=True):
                written[place] = until(text, stop)
    return written


@torch.inference_mode()
def _write(lm: CausalLM, prompts: Sequence[Ids], wanted: dict[str, Any]) -> list[str]:
    """Padding stands left, so that every row goes on at its end."""
    longest, device = max(map(len, prompts)), lm.model.device
    ids = torch.tensor([[lm.padding] * (longest - len(own)) + own for own in prompts], device=device)
    mask = torch.tensor([[0] * (longest - len(own)) + [1] * len(own) for own in prompts], device=device)
    given = lm.model.generate(ids, attention_mask=mask, **wanted)
    return lm.tokenizer.batch_decode(given[:, longest:], skip_special_tokens=True)

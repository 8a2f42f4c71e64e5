"""How probable a causal language model finds each of a few answers."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float32

from harness.errors import DataError
from harness.text.causal import CausalLM, Ids
from harness.text.likelihood import TOKENS


def choice_probabilities(
    lm: CausalLM, prompts: Sequence[Ids], options: Sequence[Ids]
) -> Float32[np.ndarray, "prompts options"]:
    """Softmax over the logits of the options' first tokens after each prompt; rows add up to 1.

    Tokens that all options begin with are read as the end of the prompt.

    Args:
        lm: the language model.
        prompts: tokens of prompts, none empty.
        options: tokens of the answers between which it chooses.

    Raises:
        DataError: if a prompt is too long, or two options have one first token.
    """
    shared, firsts = branch(options)
    rows = [prompt + shared for prompt in prompts]
    for row in rows:
        lm.check_fits(len(row))
    chosen = np.empty((len(rows), len(options)), np.float32)
    for places in _batches([len(row) for row in rows]):
        chosen[places] = _batch(lm, [rows[place] for place in places], firsts)
    return chosen


def branch(options: Sequence[Ids]) -> tuple[Ids, Ids]:
    """What all options begin with, and the token of each that follows.

    Raises:
        DataError: if two of these are the same, or an option ends before it differs from the others.
    """
    length = 0
    while all(len(option) > length for option in options) and len({option[length] for option in options}) == 1:
        length += 1
    firsts = [option[length] for option in options if len(option) > length]
    if len(set(firsts)) < len(options):
        raise DataError(f"expected options that differ in their first token, got tokens {[*options]}; name them apart")
    return list(options[0][:length]), firsts


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of prompts of like length, the longest first, as many as the limit on tokens allows."""
    places = sorted(range(len(lengths)), key=lambda place: lengths[place], reverse=True)
    while places:
        size = max(1, TOKENS // lengths[places[0]])
        yield places[:size]
        places = places[size:]


@torch.inference_mode()
def _batch(lm: CausalLM, rows: Sequence[Ids], options: Ids) -> Float32[np.ndarray, "prompts options"]:
    """Padding stands right, where no token of a causal model sees it; logits are made of last tokens only."""
    longest, device = max(map(len, rows)), lm.model.device
    ids = torch.tensor([row + [lm.padding] * (longest - len(row)) for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=device)
    ends = sorted({len(row) - 1 for row in rows})
    kept = torch.tensor(ends, device=device)
    logits = lm.model(ids, attention_mask=mask, use_cache=False, logits_to_keep=kept).logits
    last = logits[list(range(len(rows))), [ends.index(len(row) - 1) for row in rows]]
    return last[:, options].double().softmax(dim=-1).float().cpu().numpy()

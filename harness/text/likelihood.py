"""How likely a causal language model finds a text after another."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float32

from harness.text.causal import CausalLM, Ids

TOKENS = 4096
"""Tokens in a batch, padding included: small batches of like length are the quickest on a CPU."""

LOGITS = 1 << 26
"""Logits in a batch (256 MB): with a large vocabulary these fill the memory sooner than the tokens do."""

Encoded = tuple[Ids, Ids]
LogProbabilities = Float32[np.ndarray, " tokens"]


def log_probabilities(lm: CausalLM, texts: Sequence[tuple[str, str]]) -> list[LogProbabilities]:
    """Natural log of the probability of each token of a continuation, given all that stands before it.

    An answer does not depend on what else is asked, beyond rounding.

    Args:
        lm: the language model.
        texts: pairs of what stands first and its continuation, tokenised apart.

    Returns:
        An array for each pair, with a number for each token of its continuation.

    Raises:
        DataError: if a pair has more tokens than the model reads.
    """
    firsts, continuations = lm.encode_first([first for first, _ in texts]), lm.encode([text for _, text in texts])
    encoded = list(zip(firsts, continuations, strict=True))
    for first, continuation in encoded:
        lm.check_fits(len(first) + len(continuation))
    given: list[LogProbabilities] = [np.empty(0, np.float32)] * len(encoded)
    for places in _batches(encoded, lm.vocabulary):
        for place, values in zip(places, _batch(lm, [encoded[place] for place in places]), strict=True):
            given[place] = values
    return given


def _batches(encoded: Sequence[Encoded], vocabulary: int) -> Iterator[list[int]]:
    """Places of pairs of like length, as many as the limits allow; pairs without a continuation in none."""
    places = [place for place, (_, continuation) in enumerate(encoded) if continuation]
    places.sort(key=lambda place: sum(map(len, encoded[place])), reverse=True)
    batch: list[int] = []
    for place in places:
        more = [*batch, place]
        first, last = _span([encoded[own] for own in more])
        too_large = len(more) * (last + 1) > TOKENS or len(more) * (last - first) * vocabulary > LOGITS
        if batch and too_large:
            yield batch
            more = [place]
        batch = more
    if batch:
        yield batch


@torch.inference_mode()
def _batch(lm: CausalLM, encoded: Sequence[Encoded]) -> list[LogProbabilities]:
    """Padding stands right, where no token of a causal model sees it."""
    rows = [first + continuation for first, continuation in encoded]
    longest, device = max(map(len, rows)), lm.model.device
    ids = torch.tensor([row + [lm.padding] * (longest - len(row)) for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=device)
    start, end = _span(encoded)
    kept = torch.arange(start, end, device=device)
    logits = lm.model(ids, attention_mask=mask, use_cache=False, logits_to_keep=kept).logits
    return [_of_tokens(logits[row, len(first) - 1 - start :], own) for row, (first, own) in enumerate(encoded)]


def _span(encoded: Sequence[Encoded]) -> tuple[int, int]:
    """First and one past the last position at which a token of a continuation is predicted."""
    start = min(len(first) for first, _ in encoded) - 1
    return start, max(len(first) + len(continuation) for first, continuation in encoded) - 1


def _of_tokens(logits: torch.Tensor, tokens: Ids) -> LogProbabilities:
    """Log-probabilities of these tokens, each under the logits of its place."""
    wanted = torch.tensor(tokens, device=logits.device)
    losses = torch.nn.functional.cross_entropy(logits[: len(tokens)].float(), wanted, reduction="none")
    return -losses.cpu().numpy()

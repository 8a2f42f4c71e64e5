"""Passages in which words are replaced by what a generator thinks likely: what encoder and decoder read.

Source: Wang et al., 2023 (arXiv:2207.02578), section 3.1; generators of replacements go back to ELECTRA, Clark et al.,
ICLR 2020.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from harness.nn.students.vocabulary import vocabulary_head

POSITIONS = 1024
"""Positions whose logits over the vocabulary are held at once."""


class Passages(NamedTuple):
    """A batch, tokenised and corrupted."""

    tokens: Int[Tensor, "texts tokens"]
    """The original ones."""
    attention: Int[Tensor, "texts tokens"]
    """1 where there is a token, 0 for padding."""
    predicted: Bool[Tensor, "texts tokens"]
    """All tokens but special ones: those that encoder and decoder must restore."""
    encoder: Int[Tensor, "texts tokens"]
    """What the encoder reads."""
    decoder: Int[Tensor, "texts tokens"]
    """What the decoder reads."""


class Generator(Protocol):
    """Draws tokens for masked places."""

    def __call__(
        self, tokens: Tensor, attention: Tensor, masked: Tensor, chance: torch.Generator
    ) -> Int[Tensor, " masked"]:
        """A token for each masked place, in the order of the places."""
        ...


class Unigram:
    """Draws by the frequencies of tokens, whatever stands around."""

    def __init__(self, counts: Float[Tensor, " vocab"]) -> None:
        """Draw in proportion to these counts."""
        self._counts = counts

    def __call__(
        self, tokens: Tensor, attention: Tensor, masked: Tensor, chance: torch.Generator
    ) -> Int[Tensor, " masked"]:
        """See `Generator`."""
        places = max(1, int(masked.sum()))
        return torch.multinomial(self._counts, places, replacement=True, generator=chance)[: int(masked.sum())]


class LanguageModel:
    """Draws from the softmax of a frozen masked language model."""

    def __init__(self, model: Any, mask: int, never: Sequence[int]) -> None:
        """Ask this model.

        Args:
            model: a transformers model with a head that `vocabulary_head` knows.
            mask: the mask token, which stands where tokens are drawn.
            never: tokens that are never drawn: the special ones.
        """
        self._model, self._mask, self._never = model.eval().requires_grad_(False), mask, list(never)
        head = vocabulary_head(model)
        assert head is not None, "whoever makes it has looked"
        self._transform, self._decoder = head

    @torch.no_grad()
    def __call__(
        self, tokens: Tensor, attention: Tensor, masked: Tensor, chance: torch.Generator
    ) -> Int[Tensor, " masked"]:
        """See `Generator`."""
        read = tokens.masked_fill(masked, self._mask)
        hidden: Tensor = self._model.base_model(input_ids=read, attention_mask=attention).last_hidden_state
        drawn = [self._draw(part, chance) for part in hidden[masked].split(POSITIONS)]
        return torch.cat(drawn) if drawn else tokens[masked]

    def _draw(self, hidden: Float[Tensor, "places dim"], chance: torch.Generator) -> Int[Tensor, " places"]:
        if not len(hidden):
            return hidden.new_zeros(0, dtype=torch.long)
        logits = self._decoder(self._transform(hidden)).float()
        logits[:, self._never] = -torch.inf
        return torch.multinomial(logits.softmax(dim=1), 1, generator=chance)[:, 0]


def corrupt(read: Any, shares: tuple[float, float], generator: Generator, seed: Sequence[int]) -> Passages:
    """Replace whole words: some for the encoder, these and more for the decoder.

    Args:
        read: tokenised texts, as a fast tokeniser gives them, on the device.
        shares: probabilities with which a word is replaced for the encoder and for the decoder.
        generator: draws the replacements.
        seed: what all chance comes from.
    """
    tokens, attention = read["input_ids"], read["attention_mask"]
    words = np.array([[-1 if w is None else w for w in read.word_ids(text)] for text in range(len(tokens))])
    draws = np.random.default_rng(seed).random((len(words), int(words.max(initial=0)) + 1))
    luck = torch.tensor(np.take_along_axis(draws, words.clip(0), axis=1), device=tokens.device)
    predicted = torch.tensor(words >= 0, device=tokens.device)
    chance = torch.Generator(tokens.device).manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))

    def replaced(share: float) -> Int[Tensor, "texts tokens"]:
        masked = predicted & (luck < share)
        return tokens.masked_scatter(masked, generator(tokens, attention, masked, chance))

    return Passages(tokens, attention, predicted, *map(replaced, shares))

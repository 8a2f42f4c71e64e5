"""Several [CLS] tokens in a long document, whose hidden states are averaged (MCLS).

Source: Chen et al., 2024 (arXiv:2402.03216), section 3.4; for search only, without training.
"""

from typing import Any

import torch
from torch import Tensor

from harness.errors import ConfigError

MODULES = ("Transformer", "Pooling", "Normalize")


def check(model: Any, max_length: int, every: int) -> None:
    """Whether the model's documents can be read so.

    Raises:
        ConfigError: its vector isn't that of [CLS], or a document with all its [CLS] would be too long for it.
    """
    if model[1].pooling_mode != "cls" or any(type(module).__name__ not in MODULES for module in model):
        raise ConfigError("mcls: expected a student whose vector is that of its [CLS] token; add pooling=cls")
    limit: int | None = getattr(model.transformers_model.config, "max_position_embeddings", None)
    longest = max_length + (max_length - 1) // every
    if limit is not None and longest > limit:
        raise ConfigError(
            f"mcls: documents of {max_length} tokens have {longest} with a [CLS] every {every}, the model reads "
            f"{limit}; lower max_length"
        )


def insert(features: dict[str, Any], first: int, every: int) -> dict[str, Any]:
    """The same texts with `first` before each `every`-th token but the zeroth; padding stays at the end or is masked.

    Args:
        features: token ids, mask, …: [texts, tokens], padded at the end.
        first: id of the token that marks a beginning.
        every: tokens from one to the next, not counting those put in.
    """
    attention: Tensor = features["attention_mask"]
    starts = range(every, attention.shape[1], every)
    there = {start: attention[:, start : start + 1] for start in starts}
    marks = {"input_ids": lambda start: torch.full_like(there[start], first), "attention_mask": there.__getitem__}

    def widened(name: str, values: Tensor) -> Tensor:
        mark = marks.get(name, lambda start: torch.zeros_like(there[start]))
        parts = [values[:, :every]]
        for start in starts:
            parts += [mark(start).to(values.dtype), values[:, start : start + every]]
        return torch.cat(parts, dim=1)

    return {name: widened(name, value) if isinstance(value, Tensor) else value for name, value in features.items()}

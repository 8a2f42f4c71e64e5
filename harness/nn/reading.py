"""Texts → token ids, read in chunks and cut into batches without columns of padding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Int64

from harness.contracts import Role
from harness.nn.words import words_of

TOKENS = frozenset({"input_ids", "attention_mask", "token_type_ids", "query_expansion_positions"})
"""Tensors whose rows are texts and whose columns are tokens; what has others is not cut."""
PROMPTS: dict[Role, tuple[str, ...]] = {"query": ("query",), "document": ("document", "passage", "corpus")}
"""Names under which sentence-transformers looks for a prompt; the first that is there counts."""


def features(model: Any, texts: Sequence[str], role: Role) -> dict[str, Any]:
    """What the model reads of these texts, padded together, as its `encode_query` or `encode_document` reads them."""
    names = [name for name in PROMPTS[role] if name in model.prompts] or [model.default_prompt_name]
    prompt = model.prompts.get(names[0])
    if (words := words_of(model)) is None:
        return model.preprocess(list(texts), prompt=prompt, task=role)
    import torch

    read = words([(prompt or "") + text for text in texts])
    return {"input_ids": torch.from_numpy(read.ids), "offsets": torch.from_numpy(read.offsets)}


def placed(features: dict[str, Any], device: Any) -> dict[str, Any]:
    """The same on the model's device; to a GPU it is copied while that goes on computing."""
    from torch import Tensor

    def move(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        return value.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else value.to(device)

    return {name: move(value) for name, value in features.items()}


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Many texts, tokenised together and padded to the longest."""

    features: dict[str, Any]
    """What the model reads."""
    first: Int64[np.ndarray, " texts"]
    """The first column of each text that counts: 0 where padding stands on the right."""
    stop: Int64[np.ndarray, " texts"]
    """The column behind the last that counts."""

    @classmethod
    def of(cls, features: dict[str, Any]) -> Self | None:
        """None where the texts can't be told apart again, as in models that join them, or where there is no token."""
        from torch import Tensor

        tensors = {name: value for name, value in features.items() if isinstance(value, Tensor)}
        if not {"input_ids", "attention_mask"} <= set(tensors) <= TOKENS:
            return None
        shapes = {tuple(value.shape) for value in tensors.values()}
        if len(shapes) > 1 or tensors["input_ids"].ndim != 2 or not tensors["input_ids"].numel():
            return None
        used = tensors["attention_mask"].numpy() > 0
        if "query_expansion_positions" in tensors:
            used = used | tensors["query_expansion_positions"].numpy()
        columns, some = used.shape[1], used.any(axis=1)
        first = np.where(some, used.argmax(axis=1), 0)
        stop = np.where(some, columns - used[:, ::-1].argmax(axis=1), 1)
        return cls(features=features, first=first, stop=stop)

    @property
    def lengths(self) -> list[int]:
        """Tokens of each text."""
        return (self.stop - self.first).tolist()

    def part(self, rows: Sequence[int]) -> dict[str, Any]:
        """What the model reads of these texts, padded to the longest of them."""
        from torch import Tensor

        columns, wanted = slice(int(self.first[rows].min()), int(self.stop[rows].max())), list(rows)
        return {
            name: value[wanted, columns] if isinstance(value, Tensor) else value
            for name, value in self.features.items()
        }

"""What the students that embed have in common: texts → embeddings with gradients, in batches of like length."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from harness.contracts import Context, Role
from harness.nn.batches import CHARACTERS_A_TOKEN, MARKS, batches
from harness.nn.loading import Family, adjust, load
from harness.nn.retriever import EmbeddingRetriever, Encoder, Index
from harness.nn.training.gradient_cache import GradientCache

TOKENS = 4096
"""Tokens that a CPU encodes at once, padding included: texts of like length go together."""
GPU_TOKENS = 1 << 17
"""The same elsewhere."""


class Student(ABC):
    """A model that embeds queries and documents; what it makes of a text, and how two are compared, is its form's."""

    family: Family
    """What the library calls its form."""

    def __init__(self, checkpoint: str, context: Context, max_length: int, **options: Any) -> None:
        """Load the checkpoint; a head that it lacks is drawn from the seed.

        Args:
            checkpoint: hub id, folder or `pip:<distribution>`.
            context: device, seed and folder.
            max_length: tokens; longer texts are cut.
            options: of the library's class.
        """
        self.model: Any = load(self.family, checkpoint, context, new_head=True, **options)
        adjust(self.model, max_length=max_length)
        self.context = context
        self._chunk, self._cache = 0, GradientCache(self.forward)

    def cached(self, chunk: int) -> Callable[[], None]:
        """Embed so many texts at once from now on, with gradient caching.

        Returns:
            What carries the gradients into the model, to be called after each backward pass.
        """
        self._chunk = chunk
        return self._cache.backward

    def embed(self, texts: Sequence[str], role: Role) -> Any:
        """The embeddings as the retriever will compare them, with gradients; equal texts are encoded once."""
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        distinct = list(places)
        order, parts = self._parts(distinct)
        chunks = [[distinct[place] for place in part] for part in parts]
        encoded = self._cache.parts(chunks, role) if self._chunk else [self.forward(texts, role) for texts in chunks]
        back = {place: row for row, place in enumerate(order)}
        return self.gather(encoded, [back[places[text]] for text in texts])

    @abstractmethod
    def forward(self, texts: Sequence[str], role: Role) -> Any:
        """The embeddings of one batch, padded together."""

    def gather(self, encoded: Sequence[Any], rows: Sequence[int]) -> Any:
        """These rows of the batches put one after the other."""
        return torch.cat(list(encoded))[torch.tensor(rows, device=self.device)]

    @abstractmethod
    def lists(self, queries: Any, documents: Any) -> Float[Tensor, "queries docs"]:
        """Scores of each query with its own list; `documents` are all lists, one after the other."""

    @abstractmethod
    def matrix(self, queries: Any, documents: Any) -> Float[Tensor, "queries all_docs"]:
        """Scores of each query with each document: in-batch negatives."""

    def features(self, texts: Sequence[str], role: Role) -> dict[str, Any]:
        """What the model reads, on its device: token ids, mask, …."""
        read = self.model.preprocess(list(texts), prompt=self.model.prompts.get(role) or None, **self.reading(role))
        return {name: value.to(self.device) if isinstance(value, Tensor) else value for name, value in read.items()}

    def reading(self, role: Role) -> dict[str, Any]:
        """Further options of the library's tokenising."""
        return {}

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.device

    def save(self, folder: Path) -> None:
        """Write it as any user of sentence-transformers loads it."""
        self.model.save_pretrained(str(folder), create_model_card=False)

    def retriever(self) -> Any:
        """A retriever with what was learnt."""
        kind, index = self.searched()
        return EmbeddingRetriever(kind(self.model.eval()), index, self.context.folder)

    @abstractmethod
    def searched(self) -> tuple[Callable[[Any], Encoder], type[Index]]:
        """Encoder and index of its form."""

    def _parts(self, texts: Sequence[str]) -> tuple[list[int], list[list[int]]]:
        """Places of the texts in batches of like length, and all of them in that order."""
        limit = self.model.max_seq_length or float("inf")
        lengths = [min(len(text) / CHARACTERS_A_TOKEN + MARKS, limit) for text in texts]
        parts = batches(lengths, TOKENS if self.device.type == "cpu" else GPU_TOKENS)
        size = self._chunk or len(texts)
        parts = [part[start : start + size] for part in parts for start in range(0, len(part), size)]
        return [place for part in parts for place in part], parts

"""What the students that embed have in common: texts → embeddings with gradients, in batches of like length."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from harness.contracts import Context, Role
from harness.nn.batches import guesses, once
from harness.nn.exact import all_products, own_products
from harness.nn.loading import Family, adjust, load
from harness.nn.reading import placed
from harness.nn.retriever import EmbeddingRetriever, Encoder, Index
from harness.nn.students.parts import Part, divided
from harness.nn.training.gradient_cache import GradientCache


class Student(ABC):
    """A model that embeds queries and documents; what it makes of a text is its form's.

    Two embeddings are compared by their dot product, if the form doesn't say otherwise.
    """

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
        distinct, places = once(texts)
        limit = self.model.max_seq_length or float("inf")
        read = self._tokenised(distinct, role)
        order, parts = divided(distinct, read, guesses(distinct, limit), self.device, self._chunk)
        encoded = self._cache.parts(parts, role) if self._chunk else [self.forward(part, role) for part in parts]
        back = {place: row for row, place in enumerate(order)}
        return self.gather(encoded, [back[place] for place in places])

    @abstractmethod
    def forward(self, texts: Sequence[str], role: Role) -> Any:
        """The embeddings of one batch, padded together."""

    def gather(self, encoded: Sequence[Any], rows: Sequence[int]) -> Any:
        """These rows of the batches put one after the other."""
        return torch.cat(list(encoded))[torch.tensor(rows, device=self.device)]

    def lists(self, queries: Any, documents: Any) -> Float[Tensor, "queries docs"]:
        """Scores of each query with its own list; `documents` are all lists, one after the other."""
        return own_products(queries, documents.unflatten(0, (len(queries), -1)))

    def matrix(self, queries: Any, documents: Any) -> Float[Tensor, "queries all_docs"]:
        """Scores of each query with each document: in-batch negatives."""
        return all_products(queries, documents)

    def features(self, texts: Sequence[str], role: Role) -> dict[str, Any]:
        """What the model reads, on its device: token ids, mask, …."""
        known = texts.read if isinstance(texts, Part) else None
        return placed(self._tokenised(texts, role) if known is None else known, self.device)

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
        return EmbeddingRetriever(kind(self.model.eval(), mode=self.context.mode), index, self.context.folder)

    @abstractmethod
    def searched(self) -> tuple[Callable[..., Encoder], type[Index]]:
        """Encoder, made of a model and a mode, and index of its form."""

    def _tokenised(self, texts: Sequence[str], role: Role) -> dict[str, Any]:
        return self.model.preprocess(list(texts), prompt=self.model.prompts.get(role) or None, **self.reading(role))

"""A sentence-transformers model that learns: texts → vectors with gradients, and afterwards a retriever."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from harness.contracts import Context, Role
from harness.index.dense import DenseIndex
from harness.nn.encoders import DenseEncoder
from harness.nn.loading import adjust, load
from harness.nn.retriever import EmbeddingRetriever


class Student:
    """A single-vector student."""

    def __init__(self, checkpoint: str, context: Context, max_length: int) -> None:
        """Load the checkpoint.

        Args:
            checkpoint: hub id, folder or `pip:<distribution>`.
            context: device, seed and folder.
            max_length: tokens; longer texts are cut.
        """
        self.model: Any = load("dense", checkpoint, context)
        adjust(self.model, max_length=max_length)
        self._folder = context.folder

    def embed(self, texts: Sequence[str], role: Role) -> Float[Tensor, "texts dim"]:
        """Vectors as the retriever will compare them; equal texts are encoded once."""
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        features = self.model.preprocess(list(places), prompt=self.model.prompts.get(role) or None)
        moved = {
            name: value.to(self.model.device) if isinstance(value, Tensor) else value
            for name, value in features.items()
        }
        vectors: Tensor = self.model(moved)["sentence_embedding"]
        if self.model.similarity_fn_name == "cosine":
            vectors = torch.nn.functional.normalize(vectors, dim=1)
        return vectors[[places[text] for text in texts]]

    def save(self, folder: Path) -> None:
        """Write it as any user of sentence-transformers loads it."""
        self.model.save_pretrained(str(folder), create_model_card=False)

    def retriever(self) -> EmbeddingRetriever:
        """A retriever with what was learnt."""
        return EmbeddingRetriever(DenseEncoder(self.model.eval()), DenseIndex, self._folder)

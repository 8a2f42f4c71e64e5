"""A SentenceTransformer that encodes each text once."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from harness.config import digest
from harness.contracts import Context, Role
from harness.nn import checkpoint
from harness.nn.encoders import DenseEncoder
from harness.nn.loading import adjust, load
from harness.records import Document, Query
from harness_embedder import Config

PAIRS = 8192
"""Pairs scored at once."""


class EmbedderTeacher:
    """A `harness.contracts.Scorer` and `Embedder`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Load the model."""
        model = load("dense", config.model, context)
        adjust(
            model,
            max_length=config.max_length,
            truncate_dim=config.truncate_dim,
            query_prompt=config.query_prompt,
            document_prompt=config.document_prompt,
        )
        encoder = DenseEncoder(model, config.similarity)
        self._vectors: dict[Role, _Remembered] = {
            "query": _Remembered(encoder, "query", context.folder),
            "document": _Remembered(encoder, "document", context.folder),
        }
        settings = [model.prompts, str(model.max_seq_length), model.truncate_dim, encoder.unit, "float32"]
        self._identity = digest(["embedder", checkpoint.identity(config.model), settings])

    @property
    def identity(self) -> str:
        """Digest of weights, prompts, maximum length, dimensions, similarity and precision."""
        return self._identity

    def embed(self, texts: Sequence[str], role: Role) -> Float32[np.ndarray, "texts dim"]:
        """The model's vectors."""
        return self._vectors[role](texts)

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        """Dot product of the two vectors of each pair."""
        blocks = [self._score(pairs[start : start + PAIRS]) for start in range(0, len(pairs), PAIRS)]
        return np.concatenate(blocks) if blocks else np.empty(0, np.float32)

    def _score(self, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        queries = self.embed([query.text for query, _ in pairs], "query")
        documents = self.embed([document.content for _, document in pairs], "document")
        return np.einsum("pd,pd->p", queries, documents)


class _Remembered:
    """The vectors of queries or of documents, kept in a file."""

    def __init__(self, encoder: DenseEncoder, role: Role, folder: Path) -> None:
        self._encoder, self._role = encoder, role
        self._file = folder / f"{role}.bin"
        self._rows: dict[bytes, int] = {}

    def __call__(self, texts: Sequence[str]) -> Float32[np.ndarray, "texts dim"]:
        if not texts:
            return self._encoder([], self._role)
        keys = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._rows}
        if new:
            with self._file.open("ab") as file:
                file.write(self._encoder(list(new.values()), self._role).data)
            self._rows |= {key: len(self._rows) + place for place, key in enumerate(new)}
        vectors = np.memmap(self._file, np.float32, "r").reshape(len(self._rows), -1)
        return np.array(vectors[[self._rows[key] for key in keys]])

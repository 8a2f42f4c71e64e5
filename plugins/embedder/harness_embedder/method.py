"""A SentenceTransformer that encodes each text once."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from harness.config import digest
from harness.contracts import Context, Role
from harness.nn import checkpoint
from harness.nn.bfloat16 import autocast
from harness.nn.encoders import DenseEncoder
from harness.nn.loading import adjust, load
from harness.records import Document, Query
from harness_embedder import Config

PAIRS = 8192
"""Pairs scored at once."""


class EmbedderTeacher:
    """A `harness.contracts.Scorer` and `Embedder`."""

    scores_are_dot_products = True
    """The signal store keeps its vectors in place of its scores (`harness.signals.teacher`)."""

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
        self._encoder = DenseEncoder(model, config.similarity)
        self._precision = config.precision
        self._vectors: dict[Role, _Remembered] = {
            "query": _Remembered(self._encode, "query", context.folder),
            "document": _Remembered(self._encode, "document", context.folder),
        }
        settings = [model.prompts, str(model.max_seq_length), model.truncate_dim, self._encoder.unit, config.precision]
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

    def _encode(self, texts: Sequence[str], role: Role) -> Float32[np.ndarray, "texts dim"]:
        if self._precision == "float32":
            return self._encoder(texts, role)
        with autocast(self._encoder.model.device.type):
            vectors = self._encoder(texts, role)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)  # 1 but for bfloat16's 8 bits, if it should be 1
        return vectors / np.maximum(lengths, 1e-12) if self._encoder.unit else vectors


Encode = Callable[[Sequence[str], Role], Float32[np.ndarray, "texts dim"]]


class _Remembered:
    """The vectors of queries or of documents, kept in a file."""

    def __init__(self, encode: Encode, role: Role, folder: Path) -> None:
        self._encode, self._role = encode, role
        self._file = folder / f"{role}.bin"
        self._rows: dict[bytes, int] = {}

    def __call__(self, texts: Sequence[str]) -> Float32[np.ndarray, "texts dim"]:
        if not texts:
            return self._encode([], self._role)
        keys = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._rows}
        if new:
            with self._file.open("ab") as file:
                file.write(self._encode(list(new.values()), self._role).data)
            self._rows |= {key: len(self._rows) + place for place, key in enumerate(new)}
        vectors = np.memmap(self._file, np.float32, "r").reshape(len(self._rows), -1)
        return np.array(vectors[[self._rows[key] for key in keys]])

"""Texts → what an index takes: vectors, weighted terms, or a vector a token."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float32

from harness.contracts import Role
from harness.errors import ConfigError
from harness.nn.batches import encode
from harness.nn.loading import parameters

Similarity = Literal["checkpoint", "cosine", "dot"]

CPU_TOKENS = 2048
"""Tokens a batch on a CPU: its caches make small batches the fastest."""
CPU_TERM_TOKENS = 512
"""The same where each token has a logit for each term of the vocabulary: 62 MB of them with 30,522 terms."""
GPU_TOKENS = 65536
"""Tokens a batch elsewhere; what doesn't fit into memory is cut in two."""
GPU_TERM_TOKENS = 16384
"""The same with a logit for each term: 2 GB of them."""


class _Encoder:
    """What the three have in common: a sentence-transformers model and its two ways to encode."""

    cpu_tokens = CPU_TOKENS
    gpu_tokens = GPU_TOKENS

    def __init__(self, model: Any) -> None:
        """Encode with this model, with the prompts, truncation and routing that it says."""
        self.model = model

    @property
    def parameters(self) -> int:
        """How many numbers the model has learnt."""
        return parameters(self.model)

    def _encode(self, texts: Sequence[str], role: Role, **options: Any) -> list[Any]:
        method = self.model.encode_query if role == "query" else self.model.encode_document

        def embed(batch: list[str]) -> Sequence[Any]:
            return self._rows(method(batch, batch_size=len(batch), show_progress_bar=False, **options))

        budget = self.cpu_tokens if self.model.device.type == "cpu" else self.gpu_tokens
        limit = self.model.max_seq_length or float("inf")
        return encode(texts, embed, limit=limit, budget=budget)

    def _rows(self, embeddings: Any) -> Sequence[Any]:
        return embeddings

    def _similarity(self, similarity: Similarity) -> Literal["cosine", "dot"]:
        chosen: Any = self.model.similarity_fn_name if similarity == "checkpoint" else similarity
        if chosen not in ("cosine", "dot"):
            raise ConfigError(f"similarity: expected cosine or dot, got {chosen!r} from the checkpoint; choose one")
        return chosen


class DenseEncoder(_Encoder):
    """One vector a text, whose dot product is the similarity."""

    def __init__(self, model: Any, similarity: Similarity = "checkpoint") -> None:
        """Encode with a SentenceTransformer.

        Args:
            model: from `harness.nn.loading.load`.
            similarity: cosine makes all vectors unit vectors.

        Raises:
            ConfigError: a similarity that is no dot product.
        """
        super().__init__(model)
        self.unit = self._similarity(similarity) == "cosine"

    def __call__(self, texts: Sequence[str], role: Role) -> Float32[np.ndarray, "texts dim"]:
        """The vectors of queries or documents."""
        if not texts:
            return self([""], role)[:0]
        return np.stack(self._encode(texts, role, normalize_embeddings=self.unit)).astype(np.float32)


class SparseEncoder(_Encoder):
    """Weighted terms of a vocabulary."""

    cpu_tokens = CPU_TERM_TOKENS
    gpu_tokens = GPU_TERM_TOKENS

    def __init__(self, model: Any, max_active_terms: int | None = None) -> None:
        """Encode with a SparseEncoder.

        Args:
            model: from `harness.nn.loading.load`.
            max_active_terms: keep only so many terms of each text, the heaviest.

        Raises:
            ConfigError: a similarity that is no dot product.
        """
        super().__init__(model)
        self._unit = self._similarity("checkpoint") == "cosine"
        self._max_active_terms = max_active_terms

    def __call__(self, texts: Sequence[str], role: Role) -> sp.csr_array:
        """Weights, texts × vocabulary."""
        options = {"convert_to_sparse_tensor": False, "save_to_cpu": True, "max_active_dims": self._max_active_terms}
        if not texts:
            return self([""], role)[:0]
        return sp.csr_array(sp.vstack(self._encode(texts, role, **options), format="csr", dtype=np.float32))

    def _rows(self, embeddings: Any) -> Sequence[sp.csr_array]:
        weights: np.ndarray = embeddings.float().numpy()
        if self._unit:
            weights = weights / np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-12)
        return [sp.csr_array(row[None]) for row in weights]


class MultiVectorEncoder(_Encoder):
    """A vector a token."""

    def __call__(self, texts: Sequence[str], role: Role) -> list[Float32[np.ndarray, "tokens dim"]]:
        """The vectors of the tokens that count, text by text."""
        vectors: list[np.ndarray] = self._encode(texts, role, convert_to_numpy=True)
        share = self.model.similarity_fn_name == "meanmaxsim" and role == "query"
        return [(tokens / max(len(tokens), 1) if share else tokens).astype(np.float32) for tokens in vectors]

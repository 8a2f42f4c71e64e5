"""Texts → what an index takes: vectors, weighted terms, or a vector a token."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float32

from harness.contracts import FP32, Role
from harness.errors import ConfigError
from harness.nn.batches import once
from harness.nn.beside import threads_of
from harness.nn.loading import parameters
from harness.nn.modes import PACKED_FROM, check, computing
from harness.nn.passing import Arrays, Tensors, passed

Similarity = Literal["checkpoint", "cosine", "dot"]

CPU_TOKENS = 1024
"""Tokens a batch on a CPU: its caches make small batches the fastest."""
CPU_TERM_TOKENS = 512
"""The same where each token has a logit for each term of the vocabulary: 62 MB of them with 30,522 terms."""
GPU_TOKENS = 65536
"""Tokens a batch elsewhere; what doesn't fit into memory is cut in two."""
GPU_TERM_TOKENS = 16384
"""The same with a logit for each term: 2 GB of them."""


class _Encoder(ABC):
    """What the three have in common: a sentence-transformers model and its two ways to encode."""

    cpu_tokens = CPU_TOKENS
    gpu_tokens = GPU_TOKENS

    def __init__(self, model: Any, mode: str) -> None:
        self.model, self.mode = model, check(mode, str(model.device))

    @property
    def parameters(self) -> int:
        """How many numbers the model has learnt."""
        return parameters(self.model)

    def _encode(self, texts: Sequence[str], role: Role) -> Iterator[tuple[list[int], Arrays]]:
        """Places of texts, and the arrays that `_outputs` gives of them, batch after batch."""
        budget = self.cpu_tokens if self.model.device.type == "cpu" else self.gpu_tokens
        characters = sum(map(len, texts))
        with computing(self.model.eval(), self.mode, characters):
            threads = threads_of(self.model, self.mode) if characters >= PACKED_FROM else 1
            yield from passed(self.model, texts, role, budget=budget, outputs=self._outputs, threads=threads)

    @abstractmethod
    def _outputs(self, features: dict[str, Any]) -> Tensors:
        """Out of what the last module gives."""

    def _similarity(self, similarity: Similarity) -> Literal["cosine", "dot"]:
        chosen: Any = self.model.similarity_fn_name if similarity == "checkpoint" else similarity
        if chosen not in ("cosine", "dot"):
            raise ConfigError(f"similarity: expected cosine or dot, got {chosen!r} from the checkpoint; choose one")
        return chosen


class DenseEncoder(_Encoder):
    """One vector a text, whose dot product is the similarity."""

    def __init__(self, model: Any, similarity: Similarity = "checkpoint", mode: str = FP32) -> None:
        """Encode with a SentenceTransformer.

        Args:
            model: from `harness.nn.loading.load`.
            similarity: cosine makes all vectors unit vectors.
            mode: what to compute with, of `harness.nn.modes`.

        Raises:
            ConfigError: a similarity that is no dot product, or a mode that can't be had here.
            MissingExtra: the mode needs a package that is not installed.
        """
        super().__init__(model, mode)
        self.unit = self._similarity(similarity) == "cosine"

    def __call__(self, texts: Sequence[str], role: Role) -> Float32[np.ndarray, "texts dim"]:
        """The vectors of queries or documents."""
        if not texts:
            return self([""], role)[:0]
        distinct, places = once(texts)
        found = list(self._encode(distinct, role))
        vectors = np.empty((len(distinct), found[0][1][0].shape[1]), np.float32)
        for batch, (rows,) in found:
            vectors[batch] = rows
        return vectors[places]

    def _outputs(self, features: dict[str, Any]) -> Tensors:
        from torch.nn.functional import normalize

        vectors = features["sentence_embedding"].float()
        if self.model.truncate_dim is not None:
            vectors = vectors[:, : self.model.truncate_dim]
        return (normalize(vectors, dim=1) if self.unit else vectors,)


class SparseEncoder(_Encoder):
    """Weighted terms of a vocabulary."""

    cpu_tokens = CPU_TERM_TOKENS
    gpu_tokens = GPU_TERM_TOKENS

    def __init__(self, model: Any, max_active_terms: int | None = None, mode: str = FP32) -> None:
        """Encode with a SparseEncoder.

        Args:
            model: from `harness.nn.loading.load`.
            max_active_terms: keep only so many terms of each text, the heaviest.
            mode: what to compute with, of `harness.nn.modes`.

        Raises:
            ConfigError: a similarity that is no dot product, or a mode that can't be had here.
            MissingExtra: the mode needs a package that is not installed.
        """
        super().__init__(model, mode)
        self._unit = self._similarity("checkpoint") == "cosine"
        self._max_active_terms = model.max_active_dims if max_active_terms is None else max_active_terms

    def __call__(self, texts: Sequence[str], role: Role) -> sp.csr_array:
        """Weights, texts × vocabulary."""
        if not texts:
            return self([""], role)[:0]
        distinct, places = once(texts)
        order: list[int] = []
        blocks: list[sp.csr_array] = []
        for batch, (weights,) in self._encode(distinct, role):
            order += batch
            blocks.append(sp.csr_array(weights))
        rows = np.argsort(order)[places]
        return sp.csr_array(sp.vstack(blocks, format="csr", dtype=np.float32))[rows]

    def _outputs(self, features: dict[str, Any]) -> Tensors:
        from sentence_transformers.util import select_max_active_dims

        weights = features["sentence_embedding"]
        if self._max_active_terms is not None:
            weights = select_max_active_dims(weights, max_active_dims=self._max_active_terms)
        weights = weights.to_dense().float()
        return (weights / weights.norm(dim=1, keepdim=True).clamp_min(1e-12) if self._unit else weights,)


class MultiVectorEncoder(_Encoder):
    """A vector a token."""

    def __init__(self, model: Any, mode: str = FP32) -> None:
        """Encode with a MultiVectorEncoder.

        Args:
            model: from `harness.nn.loading.load`.
            mode: what to compute with, of `harness.nn.modes`.

        Raises:
            ConfigError: a mode that can't be had here.
            MissingExtra: the mode needs a package that is not installed.
        """
        super().__init__(model, mode)

    def __call__(self, texts: Sequence[str], role: Role) -> list[Float32[np.ndarray, "tokens dim"]]:
        """The vectors of the tokens that count, text by text."""
        distinct, places = once(texts)
        share = self.model.similarity_fn_name == "meanmaxsim" and role == "query"
        found: dict[int, np.ndarray] = {}
        for batch, (vectors, counts) in self._encode(distinct, role) if texts else ():
            for place, all_tokens, mask in zip(batch, vectors, counts, strict=True):
                tokens = all_tokens[mask]
                found[place] = tokens / max(len(tokens), 1) if share else tokens
        return [found[place] for place in places]

    def _outputs(self, features: dict[str, Any]) -> Tensors:
        return features["token_embeddings"].float(), features["attention_mask"].bool()

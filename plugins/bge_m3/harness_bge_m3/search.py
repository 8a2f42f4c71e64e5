"""Retrievers by one head or by all: what encodes for them, and which index they search."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float32

from harness.contracts import Role
from harness.index.dense import DenseIndex
from harness.index.inverted import InvertedIndex
from harness.index.multivector import MultiVectorIndex
from harness.nn.batches import encode
from harness.nn.encoders import CPU_TOKENS, GPU_TOKENS
from harness.nn.loading import parameters
from harness.nn.modes import check, computing
from harness.nn.retriever import EmbeddingRetriever
from harness_bge_m3.hybrid import Three, hybrid
from harness_bge_m3.student import M3Student


class _Text(NamedTuple):
    dense: Float32[np.ndarray, " dim"]
    sparse: sp.csr_array
    multi: Float32[np.ndarray, "tokens width"]


class M3Encoder:
    """Texts → what the index of the chosen output takes."""

    def __init__(self, student: M3Student) -> None:
        """Encode with this student, as its configuration says."""
        self._student, self._config = student, student.config
        self._mode = check(student.context.mode, str(student.device))

    @property
    def parameters(self) -> int:
        """How many numbers encoder and heads have learnt."""
        return parameters(self._student.whole)

    def __call__(self, texts: Sequence[str], role: Role) -> Any:
        """Vectors, weights over the vocabulary, a list of token vectors, or all of them.

        Queries come weighted, so that the inner products add up to the sum of the scores.
        """
        if not texts:
            found: Any = self([""], role)
            return found.part(slice(0)) if self._config.output == "hybrid" else found[:0]
        output, budget = self._config.output, CPU_TOKENS if self._student.device.type == "cpu" else GPU_TOKENS
        limit = self._student.model.max_seq_length or float("inf")
        with computing(self._student.model, self._mode, sum(map(len, texts))):
            read = encode(texts, lambda batch: self._embed(batch, role), limit=limit, budget=budget)
        weights = self._config.weights if output == "hybrid" and role == "query" else (1.0, 1.0, 1.0)
        made = Three(
            dense=np.stack([text.dense for text in read]) * np.float32(weights[0]),
            sparse=sp.csr_array(sp.vstack([text.sparse for text in read], format="csr", dtype=np.float32))
            * np.float32(weights[1]),
            multi=[self._shared(text.multi, role) * np.float32(weights[2]) for text in read],
        )
        return made if output == "hybrid" else getattr(made, output)

    def _shared(self, vectors: Float32[np.ndarray, "tokens width"], role: Role) -> Float32[np.ndarray, "tokens width"]:
        """Of queries each token's share, so that maximal similarities add up to their mean."""
        return vectors / np.float32(len(vectors)) if role == "query" else vectors

    def _embed(self, texts: list[str], role: Role) -> list[_Text]:
        features = self._student.features(texts, role)
        found = self._student.embeddings(features, self._config.mcls if role == "document" else 0)
        *heads, counts = found
        (dense, lexical, vectors), mask = (head.float().cpu().numpy() for head in heads), counts.cpu().numpy()
        return [
            _Text(dense[text], sp.csr_array(lexical[text][None]), vectors[text][mask[text]])
            for text in range(len(texts))
        ]


def retriever(student: M3Student) -> EmbeddingRetriever:
    """Exact search by the output that the student's configuration names."""
    indexes = {"dense": DenseIndex, "sparse": InvertedIndex, "multi": MultiVectorIndex}
    config = student.config
    index = hybrid(config.depth) if config.output == "hybrid" else indexes[config.output]
    return EmbeddingRetriever(M3Encoder(student), index, student.context.folder)

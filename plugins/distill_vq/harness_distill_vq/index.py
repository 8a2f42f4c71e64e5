"""Codes in place of vectors: what encodes into them, and search by lookup tables."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from jaxtyping import Float32, Integer, UInt8

from harness.contracts import FP32, Corpus, Role
from harness.errors import DataError
from harness.index import files
from harness.index.best import SCORES, Ranking, best, in_parts
from harness.nn.encoders import DenseEncoder
from harness.nn.loading import parameters
from harness_distill_vq.quantiser import Quantiser

KIND = "product-quantised"
SMALL = 256
"""Up to so many lists, one byte names a list."""


BLOCK = 1024
"""Documents coded at once: each has a distance to every codeword."""


class Tables(NamedTuple):
    """Inner products of queries with all that documents are made of."""

    lists: Float32[np.ndarray, "queries lists"]
    """With each centroid; -inf for lists that are not searched."""
    parts: Float32[np.ndarray, "queries parts words"]
    """With each codeword."""


class CodeEncoder:
    """Documents → codes, queries → tables."""

    def __init__(self, model: Any, quantiser: Quantiser, probes: int = 0, mode: str = FP32) -> None:
        """Encode with this model.

        Args:
            model: a SentenceTransformer.
            quantiser: of its documents' vectors.
            probes: lists that are searched, those whose centroids the query likes best; 0: all.
            mode: what the model computes with.
        """
        self._model, self._quantiser, self._probes = model, quantiser, probes
        self._dense = DenseEncoder(model, mode=mode)

    @property
    def parameters(self) -> int:
        """Numbers of the model, the centroids and the codewords."""
        return parameters(self._model) + parameters(self._quantiser)

    def __call__(self, texts: Sequence[str], role: Role) -> Any:
        """Tables of queries, or lists and codes of documents."""
        vectors = torch.as_tensor(self._dense(texts, role), device=self._quantiser.anchors.device)
        return self.tables(vectors) if role == "query" else self.coded(vectors)

    @torch.no_grad()
    def tables(self, vectors: torch.Tensor) -> Tables:
        """Of queries."""
        centroids, codebooks = self._quantiser.centroids, self._quantiser.codebooks
        turned = self._quantiser.turned(vectors)
        lists = turned @ centroids.T
        if self._probes:
            least = lists.topk(self._probes, dim=1).values[:, -1:]
            lists = lists.masked_fill(lists < least, -torch.inf)
        split = turned.view(-1, len(codebooks), codebooks.shape[2])
        parts = torch.einsum("qms,mws->qmw", split, codebooks)
        return Tables(lists.cpu().numpy(), parts.cpu().numpy())

    def coded(self, vectors: torch.Tensor) -> Mapping[str, np.ndarray]:
        """Of documents."""
        lists, words = map(torch.cat, zip(*map(self._quantiser.codes, vectors.split(BLOCK)), strict=True))
        number, size = self._quantiser.centroids.shape[0], self._quantiser.codebooks.shape[1]
        kind = np.uint8 if number <= SMALL else np.uint16
        return {"lists": lists.cpu().numpy().astype(kind), "codes": packed(words.cpu().numpy(), size)}


class CodeIndex:
    """A list and a codeword a part for each document; all are scored."""

    def __init__(self, folder: Path, corpus: Corpus) -> None:
        """Map the codes; see `load`."""
        self._folder = folder
        arrays = files.read(folder, KIND, corpus)
        self._lists, self._codes = arrays["lists"], arrays["codes"]
        if not len(self._lists) == len(self._codes) == len(corpus):
            raise DataError(f"{folder}: expected codes of {len(corpus)} documents, got {len(self._codes)}; index again")
        self._id_rank = np.asarray(corpus.id_rank)

    @classmethod
    def build(cls, folder: Path, corpus: Corpus, blocks: Iterator[Mapping[str, np.ndarray]]) -> Self:
        """Write the codes, block by block in the order of the corpus, to an empty folder."""
        files.write(folder, KIND, corpus, blocks)
        return cls(folder, corpus)

    @classmethod
    def load(cls, folder: Path, corpus: Corpus) -> Self:
        """Open what `build` or `save` wrote.

        Raises:
            DataError: it is damaged, or of another corpus.
        """
        return cls(folder, corpus)

    def save(self, folder: Path) -> None:
        """Copy it to an empty folder."""
        files.copy(self._folder, folder)

    def search(self, queries: Tables, k: int) -> Ranking:
        """The documents whose reconstructed vectors have the largest dot products."""
        return in_parts(len(queries.lists), k, lambda part: self._search(Tables(*(t[part] for t in queries)), k))

    def _search(self, tables: Tables, k: int) -> Ranking:
        size = max(1, SCORES // len(tables.lists))
        starts = range(0, len(self._lists), size)
        blocks = (self._scores(tables, slice(start, start + size)) for start in starts)
        return best(blocks, len(tables.lists), k, self._id_rank)

    def _scores(self, tables: Tables, part: slice) -> Float32[np.ndarray, "queries block"]:
        _, parts, words = tables.parts.shape
        codes = unpacked(np.asarray(self._codes[part]), parts, words)
        scores = tables.lists[:, self._lists[part].astype(np.int64)]
        for place in range(parts):
            scores += tables.parts[:, place, codes[:, place]]
        return scores


def packed(codes: Integer[np.ndarray, "docs parts"], words: int) -> UInt8[np.ndarray, "docs bytes"]:
    """As many bits a code as `words`, a power of 2, has; one code after the other."""
    places = np.arange(_bits(words))
    return np.packbits(((codes[:, :, None] >> places) & 1).reshape(len(codes), -1).astype(np.uint8), axis=1)


def unpacked(data: UInt8[np.ndarray, "docs bytes"], parts: int, words: int) -> Integer[np.ndarray, "docs parts"]:
    """The codes again."""
    bits = np.unpackbits(data, axis=1, count=parts * _bits(words)).reshape(len(data), parts, -1)
    return (bits.astype(np.int64) << np.arange(_bits(words))).sum(axis=2)


def _bits(words: int) -> int:
    return words.bit_length() - 1

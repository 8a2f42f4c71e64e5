"""Search over weighted terms beside scipy's product of sparse matrices, and Seismic's recall beside exact search.

At full size weights are made up: terms by Zipf's law, as many as a learned sparse encoder gives. Real ones, of a tiny
encoder, are of as many real passages as can be encoded in a minute or two.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from benchmarks import real
from benchmarks.measure import Row, Skipped, in_turn, main
from harness.data.corpus import ArrowCorpus, build_corpus
from harness.index.inverted import InvertedIndex
from harness.index.seismic import SeismicIndex
from harness.records import Document

TERMS = 30_522
DOCUMENTS, IN_DOCUMENT = 83_557, 126
QUERIES, IN_QUERY = 1000, 33
EXPONENT = 0.7
"""Of Zipf's law: a query's term is in 5 % of documents on average, as it is with the weights of splade-tiny."""
K = 100
PART = 100
"""Queries that scipy multiplies at once: 33 MB of scores."""

PASSAGES = 8192
COLLECTIONS = ("climate-fever-sent", "vaswani")
CHECKPOINT = "splade-tiny"

Ranking = tuple[np.ndarray, np.ndarray]


class Weights(NamedTuple):
    """What is searched and with what; rows × terms."""

    documents: sp.csr_array
    queries: sp.csr_array


def rows(runs: int) -> Iterator[Row]:
    """Exact search over both, then Seismic."""
    made_up = synthetic()
    work = f"learned sparse, {DOCUMENTS:,} made-up documents, {QUERIES:,} queries, top {K}"
    yield from _rows(work, made_up, runs, goal=3)
    try:
        weights = encoded()
    except Skipped as reason:
        raise Skipped(f"rows on real weights: {reason}") from None
    work = f"the same, weights of {CHECKPOINT} for {weights.documents.shape[0]:,} real passages"
    yield from _rows(work, weights, runs, goal=None)


def _rows(work: str, weights: Weights, runs: int, goal: float | None) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = _corpus(weights, folder)
        exact = InvertedIndex.build(_new(folder), corpus, _blocks(weights.documents))
        found, theirs = exact.search(weights.queries, K), scipy_product(weights)
        per = {"terms a document": weights.documents.nnz / len(corpus), "terms a query": weights.queries.nnz / QUERIES}
        seen = per | {"same scores": _same(found, theirs())}
        pairs = in_turn(lambda: exact.search(weights.queries, K), theirs, runs)
        yield Row(work=work, peer_name="scipy CSR product", runs=pairs, goal=goal, found=seen)
        if find_spec("seismic") is None:
            return
        near = SeismicIndex.build(_new(folder), corpus, _blocks(weights.documents))
        seen = {f"recall@{k} of Seismic": _recall(near.search(weights.queries, k), found, k) for k in (10, K)}
        pairs = in_turn(lambda: exact.search(weights.queries, K), lambda: near.search(weights.queries, K), runs)
        yield Row(work=work, peer_name="Seismic, which is approximate", runs=pairs, found=seen)


def synthetic() -> Weights:
    """Terms by Zipf's law, weights uniform."""
    chance = np.random.default_rng(0)
    return Weights(_zipf(chance, DOCUMENTS, IN_DOCUMENT), _zipf(chance, QUERIES, IN_QUERY))


def _zipf(chance: np.random.Generator, number: int, terms: int) -> sp.csr_array:
    """So many different terms in every row: the first of the keys that chance gives each term by its rank."""
    shares = np.arange(1, TERMS + 1) ** -EXPONENT
    bounds = np.cumsum(shares / shares.sum())
    drawn = np.minimum(np.searchsorted(bounds, chance.random((number, 3 * terms))), TERMS - 1)
    lists = [np.sort(_first(row, terms)) for row in drawn]
    offsets = np.cumsum([0, *map(len, lists)])
    indices = np.concatenate(lists)
    weights = chance.uniform(0.05, 2, len(indices)).astype(np.float32)
    return sp.csr_array((weights, indices, offsets), shape=(number, TERMS))


def _first(drawn: np.ndarray, terms: int) -> np.ndarray:
    """The first so many different ones."""
    different, places = np.unique(drawn, return_index=True)
    return different[np.argsort(places)[:terms]]


def encoded() -> Weights:
    """Weights of real passages and real queries.

    Raises:
        Skipped: there is no such collection or checkpoint.
    """
    if not (Path(os.environ.get("HARNESS_MODELS", "")) / CHECKPOINT / "modules.json").exists():
        raise Skipped(f"needs the checkpoint {CHECKPOINT} in the folder that HARNESS_MODELS names")
    from sentence_transformers import SparseEncoder as Model

    from harness.nn.checkpoint import locate
    from harness.nn.encoders import SparseEncoder

    tasks = [real.task(name) for name in COLLECTIONS]
    texts = [text for task in tasks for text in task.corpus().contents()]
    queries = [query.text for task in tasks for query in task.queries(task.facts.split)]
    encoder = SparseEncoder(Model(locate(CHECKPOINT), device="cpu"))
    return Weights(encoder(texts[:PASSAGES], "document"), encoder(queries[:QUERIES], "query"))


def scipy_product(weights: Weights) -> Callable[[], Ranking]:
    """Queries times documents, part by part, each sorted by numpy."""
    lists = sp.csr_array(weights.documents.T)

    def work() -> Ranking:
        parts = range(0, weights.queries.shape[0], PART)
        ranked = [_ranked((weights.queries[start : start + PART] @ lists).toarray()) for start in parts]
        rows, scores = zip(*ranked, strict=True)
        return np.concatenate(rows), np.concatenate(scores)

    return work


def _ranked(scores: np.ndarray) -> Ranking:
    rows = np.argpartition(scores, -K, axis=1)[:, -K:]
    kept = np.take_along_axis(scores, rows, axis=1)
    order = np.argsort(-kept, axis=1)
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(kept, order, axis=1)


def _same(ours: Ranking, theirs: Ranking) -> str:
    """Whether all scores are equal to the last bit.

    Raises:
        AssertionError: they aren't.
    """
    np.testing.assert_array_equal(np.where(ours[0] < 0, 0, ours[1]), theirs[1])
    return "to the last bit"


def _recall(near: Ranking, exact: Ranking, k: int) -> float:
    pairs = zip(near[0], exact[0][:, :k], strict=True)
    return float(np.mean([len({*found} & {*best} - {-1}) / max(1, len({*best} - {-1})) for found, best in pairs]))


def _corpus(weights: Weights, folder: Path) -> ArrowCorpus:
    documents = (Document(id=f"{row:07}", text="") for row in range(weights.documents.shape[0]))
    return build_corpus(documents, folder / "corpus")


def _blocks(documents: sp.csr_array) -> Iterator[sp.csr_array]:
    return (documents[start : start + 8192] for start in range(0, documents.shape[0], 8192))


def _new(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


if __name__ == "__main__":
    main(rows)

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
    """Exact search over both, then Seismic over the real ones: what is made up has no clusters for it to find."""
    made_up = synthetic()
    with tempfile.TemporaryDirectory() as name:
        work = f"learned sparse, {DOCUMENTS:,} made-up documents, {QUERIES:,} queries, top {K}"
        yield _beside_scipy(work, made_up, _exact(made_up, Path(name)), runs, goal=3)
        weights = encoded()
        work = f"the same, weights of {CHECKPOINT} for {weights.documents.shape[0]:,} real passages"
        exact = _exact(weights, Path(name))
        yield _beside_scipy(work, weights, exact, runs)
        if find_spec("seismic") is None:
            raise Skipped("recall of Seismic: needs pyseismic-lsr")
        yield _beside_seismic(work, weights, exact, Path(name), runs)


def _exact(weights: Weights, folder: Path) -> InvertedIndex:
    return InvertedIndex.build(_new(folder), _corpus(weights, folder), _blocks(weights.documents))


def _beside_scipy(work: str, weights: Weights, exact: InvertedIndex, runs: int, goal: float | None = None) -> Row:
    ours, theirs = lambda: exact.search(weights.queries, K), scipy_product(weights)
    documents, queries = (part.nnz / part.shape[0] for part in weights)
    seen = {"same scores": _same(ours(), theirs()), "terms a document": documents, "terms a query": queries}
    return Row(work=work, peer_name="scipy CSR product", runs=in_turn(ours, theirs, runs), goal=goal, found=seen)


def _beside_seismic(work: str, weights: Weights, exact: InvertedIndex, folder: Path, runs: int) -> Row:
    near = SeismicIndex.build(_new(folder), _corpus(weights, folder), _blocks(weights.documents))

    def ours() -> Ranking:
        return exact.search(weights.queries, K)

    def theirs() -> Ranking:
        return near.search(weights.queries, K)

    best, found = ours(), theirs()
    seen = {f"recall@{k} of Seismic": _recall(found, best, k) for k in (10, K)}
    note = "Seismic is approximate, and made for far larger corpora."
    runs_in_turn = in_turn(ours, theirs, runs)
    return Row(work=work, peer_name="Seismic (approximate)", runs=runs_in_turn, found=seen, note=note)


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
    """Share of the best k that are among the k found, mean over queries."""
    pairs = zip(near[0][:, :k], exact[0][:, :k], strict=True)
    return float(np.mean([len({*found} & {*best} - {-1}) / max(1, len({*best} - {-1})) for found, best in pairs]))


def _corpus(weights: Weights, folder: Path) -> ArrowCorpus:
    documents = (Document(id=f"{row:07}", text="") for row in range(weights.documents.shape[0]))
    return build_corpus(documents, _new(folder) / "corpus")


def _blocks(documents: sp.csr_array) -> Iterator[sp.csr_array]:
    return (documents[start : start + 8192] for start in range(0, documents.shape[0], 8192))


def _new(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


if __name__ == "__main__":
    main(rows)

"""BM25 on bm25s, which computes every term's score in every document when it indexes."""

from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
import scipy.sparse as sp
from jaxtyping import Float32, Int32

from harness.contracts import Context, Corpus
from harness.errors import DataError
from harness.records import Query, Run
from harness.scoring.order import topk
from harness_bm25 import Config
from harness_bm25.analysis import Analyser

BLOCK = 1 << 24
"""Scores that are held at once (64 MB)."""


class BM25:
    """A `harness.contracts.Retriever`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is indexed yet."""
        self._config = config
        self._terms = Analyser(config)

    def index(self, corpus: Corpus) -> None:
        """Index the corpus.

        Raises:
            DataError: if no document has a term.
        """
        vocabulary: dict[str, int] = {}
        documents = [
            [vocabulary.setdefault(term, len(vocabulary)) for term in self._terms(text)] for text in corpus.contents()
        ]
        if not vocabulary:
            raise DataError(
                f"bm25: expected documents with words, got none in {len(corpus)} documents with tokeniser "
                f"{self._config.tokeniser!r}; choose the tokeniser for their language"
            )
        model = bm25s.BM25(k1=self._config.k1, b=self._config.b, method="lucene")
        model.index((documents, vocabulary), create_empty_token=False, show_progress=False)
        self._take(model, corpus)

    def search(self, queries: Sequence[Query], k: int) -> Run:
        """The best documents; those that share no term with the query are not returned."""
        rows = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        size = max(1, BLOCK // len(self._id_rank))
        for start in range(0, len(queries), size):
            block = slice(start, start + size)
            rows[block], scores[block] = self._best(queries[block], k)
        return Run(query_ids=tuple(query.id for query in queries), rows=rows, scores=scores)

    def save(self, folder: Path) -> None:
        """Write the index as bm25s does."""
        self._model.save(folder, show_progress=False)

    def load(self, folder: Path, corpus: Corpus) -> None:
        """Read an index that `save` or bm25s wrote.

        Raises:
            DataError: if it is of another corpus.
        """
        model = bm25s.BM25.load(folder, show_progress=False)
        if model.scores["num_docs"] != len(corpus):
            raise DataError(
                f"{folder}: expected an index of {len(corpus)} documents, got {model.scores['num_docs']}; index again"
            )
        self._take(model, corpus)

    def _take(self, model: bm25s.BM25, corpus: Corpus) -> None:
        self._model = model
        self._vocabulary: dict[str, int] = model.vocab_dict
        postings = (model.scores["data"], model.scores["indices"], model.scores["indptr"])
        self._postings = sp.csr_array(postings, shape=(len(self._vocabulary), len(corpus)))
        self._id_rank = np.asarray(corpus.id_rank)

    def _best(
        self, queries: Sequence[Query], k: int
    ) -> tuple[Int32[np.ndarray, "queries k"], Float32[np.ndarray, "queries k"]]:
        scores = sp.csr_array(self._counts(queries) @ self._postings).toarray()
        scores[scores == 0] = -np.inf
        return topk(scores, k, self._id_rank)

    def _counts(self, queries: Sequence[Query]) -> sp.csr_array:
        """How often each term occurs in each query; a row's terms in the vocabulary's order, so that sums are too."""
        known = [[self._vocabulary[term] for term in self._query_terms(query)] for query in queries]
        places = np.repeat(np.arange(len(queries)), [len(terms) for terms in known])
        terms = np.fromiter((term for terms in known for term in terms), np.int64, len(places))
        shape = (len(queries), len(self._vocabulary))
        return sp.csr_array((np.ones(len(places), np.float32), (places, terms)), shape=shape)

    def _query_terms(self, query: Query) -> list[str]:
        return [term for term in self._terms(self._text(query)) if term in self._vocabulary]

    def _text(self, query: Query) -> str:
        if self._config.history == "none" or not query.history:
            return query.text
        if self._config.history == "user":
            return " ".join([*(turn.text for turn in query.history if turn.role == "user"), query.text])
        return " ".join([*(f"{turn.role}: {turn.text}" for turn in query.history), f"user: {query.text}"])

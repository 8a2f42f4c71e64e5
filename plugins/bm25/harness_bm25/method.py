"""BM25 over posting lists: every term's score in every document is computed when it is indexed."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float64, Int32, Int64

from harness.contracts import Context, Corpus
from harness.errors import ContractError, DataError
from harness.index.inverted import InvertedIndex
from harness.records import Query, Run
from harness_bm25 import Config
from harness_bm25.analysis import Analyser, Words

BLOCK = 4096
"""Documents that are split into words at once."""

VOCABULARY = "vocabulary.json"


class _Block(NamedTuple):
    """Consecutive documents."""

    counts: sp.csr_array
    """How often each term occurs, documents × the terms known so far."""
    lengths: Int64[np.ndarray, " documents"]
    """Terms of each document, every time they occur."""


class _Numbers(dict[str, int]):
    """Number of the term of each word seen so far, so that none is stemmed twice; -1 for words that are not indexed."""

    def __init__(self, analyser: Analyser) -> None:
        super().__init__()
        self._term = analyser.term
        self.vocabulary: dict[str, int] = {}

    def __missing__(self, word: str) -> int:
        term = self._term(word)
        self[word] = number = self.vocabulary.setdefault(term, len(self.vocabulary)) if term else -1
        return number


class BM25:
    """A `harness.contracts.Retriever`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is indexed yet."""
        self._config, self._folder = config, context.folder
        self._analyser = Analyser(config)
        self._index: InvertedIndex | None = None
        self._vocabulary: dict[str, int] = {}

    def index(self, corpus: Corpus) -> None:
        """Index the corpus.

        Raises:
            DataError: if no document has a term.
        """
        numbers = _Numbers(self._analyser)
        counted = [self._counted(corpus, start, numbers) for start in range(0, len(corpus), BLOCK)]
        self._vocabulary = numbers.vocabulary
        if not self._vocabulary:
            raise DataError(
                f"bm25: expected documents with words, got none in {len(corpus)} documents with tokeniser "
                f"{self._config.tokeniser!r}; choose the tokeniser for their language"
            )
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        self._index = InvertedIndex.build(folder, corpus, self._weighted(counted, len(corpus)))
        (folder / VOCABULARY).write_text(json.dumps([*self._vocabulary]))

    def search(self, queries: Sequence[Query], k: int) -> Run:
        """The best documents; those that share no term with the query are not returned."""
        rows, scores = self._indexed().search(self._asked(queries), k)
        return Run(query_ids=tuple(query.id for query in queries), rows=rows, scores=scores)

    def save(self, folder: Path) -> None:
        """Write the posting lists and the vocabulary."""
        self._indexed().save(folder)

    def load(self, folder: Path, corpus: Corpus) -> None:
        """Read an index that `save` wrote.

        Raises:
            DataError: if it is damaged, or of another corpus.
        """
        self._index = InvertedIndex.load(folder, corpus)
        try:
            names: list[str] = json.loads((folder / VOCABULARY).read_text())
        except (OSError, ValueError) as error:
            raise DataError(f"{folder}: expected an index with its vocabulary, got {error}; index again") from error
        self._vocabulary = {name: number for number, name in enumerate(names)}

    def _indexed(self) -> InvertedIndex:
        if self._index is None:
            raise ContractError("expected index or load before search and save, got neither")
        return self._index

    def _counted(self, corpus: Corpus, start: int, numbers: _Numbers) -> _Block:
        rows = range(start, min(start + BLOCK, len(corpus)))
        terms, documents = _terms(self._analyser.words(corpus.contents(rows)), numbers.__getitem__)
        counts = _counts(terms, documents, (len(rows), len(numbers.vocabulary)))
        return _Block(counts, np.bincount(documents, minlength=len(rows)))

    def _weighted(self, counted: list[_Block], documents: int) -> Iterator[sp.csr_array]:
        """What each term adds to each document's score."""
        having = np.zeros(len(self._vocabulary))
        for block in counted:
            np.add.at(having, block.counts.indices, 1)
        idf = np.log1p((documents - having + 0.5) / (having + 0.5))
        mean = sum(int(block.lengths.sum()) for block in counted) / documents
        return (self._weights(block, idf, mean) for block in counted)

    def _weights(self, block: _Block, idf: Float64[np.ndarray, " terms"], mean: float) -> sp.csr_array:
        k1, b = self._config.k1, self._config.b
        times, terms, offsets = block.counts.data, block.counts.indices, block.counts.indptr
        norms = np.repeat(k1 * (1 - b + b * block.lengths / mean), np.diff(offsets))
        weights = (idf[terms] * times / (times + norms)).astype(np.float32)
        return sp.csr_array((weights, terms, offsets), shape=(len(block.lengths), len(idf)))

    def _asked(self, queries: Sequence[Query]) -> sp.csr_array:
        """How often each term of the vocabulary occurs in each query."""
        words = self._analyser.words([self._text(query) for query in queries])
        terms, places = _terms(words, lambda word: self._vocabulary.get(self._analyser.term(word), -1))
        return _counts(terms, places, (len(queries), len(self._vocabulary)))

    def _text(self, query: Query) -> str:
        if self._config.history == "none" or not query.history:
            return query.text
        if self._config.history == "user":
            return " ".join([*(turn.text for turn in query.history if turn.role == "user"), query.text])
        return " ".join([*(f"{turn.role}: {turn.text}" for turn in query.history), f"user: {query.text}"])


def _terms(
    words: Words, number: Callable[[str], int]
) -> tuple[Int32[np.ndarray, " terms"], Int32[np.ndarray, " terms"]]:
    """Numbers of the terms of some texts, term by term, and in which of the texts each stands."""
    numbers = np.array([number(word) for word in words.distinct], np.int32)[words.codes]
    indexed = numbers >= 0
    return numbers[indexed], words.texts[indexed]


def _counts(
    terms: Int32[np.ndarray, " terms"], texts: Int32[np.ndarray, " terms"], shape: tuple[int, int]
) -> sp.csr_array:
    """How often each term stands in each text; a row's terms ascend."""
    offsets = np.searchsorted(texts, np.arange(shape[0] + 1)).astype(np.int32)
    counts = sp.csr_array((np.ones(len(terms), np.float32), terms, offsets), shape=shape)
    counts.sum_duplicates()
    return counts

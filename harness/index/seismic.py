"""Approximate search over weighted terms: Seismic, which reads only the most promising blocks of posting lists.

Bruch et al., 2024, "Efficient Inverted Indexes for Approximate Retrieval over Learned Sparse Representations",
https://arxiv.org/abs/2404.18812. benchmarks/sparse.py measures how many of the best documents it finds.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

from harness.contracts import Corpus
from harness.errors import DataError, MissingExtra
from harness.index import files
from harness.index.best import Ranking
from harness.index.postings import asked, shape_of
from harness.records import Run
from harness.scoring.order import ordered

KIND = "seismic"
LISTS = "lists"
SUFFIX = ".index.seismic"
"""Seismic's own."""

QUERY_CUT = 20
"""Terms of a query whose lists are read, the heaviest; all of them count in the scores."""
HEAP_FACTOR = 0.8
"""Blocks estimated below this share of the worst score held so far are left out; smaller: more are read."""


class SeismicIndex:
    """Built with Seismic's default settings. Weights are kept in half precision, so scores are approximate too."""

    def __init__(self, folder: Path, corpus: Corpus) -> None:
        """Read the lists; see `load`."""
        self._folder = folder
        self._terms = int(files.read(folder, KIND, corpus)["terms"][0])
        self._text = np.dtype(_seismic().get_seismic_string())
        try:
            self._lists = _seismic().SeismicIndex.load(str(folder / f"{LISTS}{SUFFIX}"))
        except OSError as error:
            raise DataError(f"{folder}: expected an index of Seismic's, got {error}; index again") from error
        self._id_rank = np.asarray(corpus.id_rank)

    @classmethod
    def build(cls, folder: Path, corpus: Corpus, blocks: Iterator[sp.csr_array]) -> Self:
        """Write the weights (documents × terms), block by block in the order of the corpus, to an empty folder.

        Raises:
            MissingExtra: pyseismic-lsr is not installed.
        """
        documents, terms, start = _seismic().SeismicDataset(), 0, 0
        for block in blocks:
            rows, terms = shape_of(block)
            lists = sp.csr_array(block, dtype=np.float32).sorted_indices()
            names = [str(row) for row in range(start, start + rows)]
            components, offsets = lists.indices.astype(np.int64), lists.indptr.astype(np.int64)
            documents.add_documents_by_id(names, components, lists.data, offsets)
            start += rows
        _seismic().SeismicIndex.build_from_dataset(documents).save(str(folder / LISTS))
        files.write(folder, KIND, corpus, [{"terms": np.array([terms], np.int32)}])
        return cls(folder, corpus)

    @classmethod
    def load(cls, folder: Path, corpus: Corpus) -> Self:
        """Open what `build` or `save` wrote.

        Raises:
            DataError: it is damaged, or of another corpus.
            MissingExtra: pyseismic-lsr is not installed.
        """
        return cls(folder, corpus)

    def save(self, folder: Path) -> None:
        """Copy it to an empty folder."""
        files.copy(self._folder, folder)

    def search(self, queries: sp.csr_array, k: int) -> Ranking:
        """Most of the documents with the largest dot products, under the tie rule.

        Raises:
            DataError: the queries have another vocabulary than the documents.
        """
        number = asked(queries, self._terms)
        rows, scores = np.full((number, k), -1, np.int32), np.full((number, k), -np.inf, np.float32)
        for query, found in self._found(sp.csr_array(queries, dtype=np.float32), k):
            rows[query, : len(found)] = [int(name) for _, _, name in found]
            scores[query, : len(found)] = [score for _, score, _ in found]
        run = ordered(Run(query_ids=tuple(map(str, range(number))), rows=rows, scores=scores), self._id_rank)
        return run.rows, run.scores

    def _found(self, queries: sp.csr_array, k: int) -> Iterator[tuple[int, list[tuple[str, float, str]]]]:
        """Of each query that has terms its place, and what Seismic says: its name, a score, a document."""
        asked = np.flatnonzero(np.diff(queries.indptr))
        cuts = queries.indptr[asked[1:]] if len(asked) else []
        terms, weights = np.split(queries.indices.astype(self._text), cuts), np.split(queries.data, cuts)
        if not len(asked) or not k:
            return
        answers = self._lists.batch_search(asked.astype(self._text), terms, weights, k, QUERY_CUT, HEAP_FACTOR)
        for found in answers:
            if found:
                yield int(found[0][0]), found


def _seismic() -> Any:
    try:
        import seismic
    except ImportError as error:
        raise MissingExtra("index seismic needs pyseismic-lsr: pip install 'retrieval-harness[seismic]'") from error
    return seismic

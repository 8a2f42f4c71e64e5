import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from harness.errors import DataError, MissingExtra
from harness.index.inverted import InvertedIndex
from harness.index.seismic import SeismicIndex


def weights(rows: int, seed: int) -> sp.csr_array:
    chance = np.random.default_rng(seed)
    return sp.csr_array((chance.random((rows, 60)) * (chance.random((rows, 60)) < 0.2)).astype(np.float32))


def test_without_the_package_it_says_what_to_install(
    corpus_of: Callable, new_folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "seismic", None)
    with pytest.raises(MissingExtra, match=r"retrieval-harness\[seismic\]"):
        SeismicIndex.build(new_folder(), corpus_of(["a"]), iter([weights(1, 0)]))


def test_finds_most_of_what_exact_search_finds(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    pytest.importorskip("seismic")
    documents, queries = weights(500, 0), weights(50, 1)
    queries = sp.csr_array(sp.vstack([queries, sp.csr_array((1, 60), dtype=np.float32)]))
    corpus = corpus_of([f"d{row}" for row in range(500)])
    exact, _ = InvertedIndex.build(new_folder(), corpus, iter([documents])).search(queries, 10)
    index = SeismicIndex.build(new_folder(), corpus, iter([documents[:200], documents[200:]]))
    index.save(saved := new_folder())
    for same in (index, SeismicIndex.load(saved, corpus)):
        rows, scores = same.search(queries, 10)
        assert np.mean([len({*found} & {*best}) / 10 for found, best in zip(rows[:-1], exact[:-1], strict=True)]) > 0.9
        expected = np.take_along_axis((queries @ documents.T).toarray()[:-1], rows[:-1], axis=1)
        np.testing.assert_allclose(scores[:-1], expected, rtol=2e-3)
        assert (rows[-1] == -1).all()


def test_another_corpus_vocabulary_or_a_damaged_file_is_refused(
    corpus_of: Callable, new_folder: Callable[[], Path]
) -> None:
    pytest.importorskip("seismic")
    corpus, folder = corpus_of(["a", "b"]), new_folder()
    index = SeismicIndex.build(folder, corpus, iter([weights(2, 0)]))
    with pytest.raises(DataError, match="got 61"):
        index.search(sp.csr_array((1, 61), dtype=np.float32), 1)
    with pytest.raises(DataError, match="corpus"):
        SeismicIndex.load(folder, corpus_of(["c"]))
    (folder / "lists.index.seismic").unlink()
    with pytest.raises(DataError, match="index again"):
        SeismicIndex.load(folder, corpus)

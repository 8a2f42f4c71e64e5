from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from harness.errors import DataError
from harness.index import files
from harness.index.inverted import InvertedIndex


def csr(values: object) -> sp.csr_array:
    return sp.csr_array(np.array(values, np.float32))


def test_scores_by_hand(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    blocks = [csr([[0.5, 0, 2], [0, 1, 0]]), csr([[0, 0, 0], [1, 1, 1]])]
    index = InvertedIndex.build(new_folder(), corpus_of(["a", "b", "c", "d"]), iter(blocks))
    rows, scores = index.search(csr([[2, 0, 1], [0, 3, 0], [0, 0, 0]]), 3)
    # a: 2 · 0.5 + 1 · 2 = 3; d: 2 + 1 = 3, and d is the larger id. b shares no term. The third query has none.
    assert rows.tolist() == [[3, 0, -1], [3, 1, -1], [-1, -1, -1]]
    assert scores[0, :2].tolist() == [3, 3]
    assert scores[1, :2].tolist() == [3, 3]
    assert np.isneginf(scores[rows < 0]).all()


def test_equal_to_the_whole_product(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    chance = np.random.default_rng(0)
    documents, queries = (
        chance.integers(0, 4, (n, 30)) * (chance.random((n, 30)) < share) for n, share in ((80, 0.2), (40, 0.1))
    )
    corpus = corpus_of([f"d{number}" for number in chance.permutation(80)])
    index = InvertedIndex.build(new_folder(), corpus, map(csr, np.split(documents, [1, 50])))
    rows, scores = index.search(csr(queries), 15)
    for found, values, line in zip(rows, scores, queries @ documents.T, strict=True):
        order = [row for row in np.lexsort((-corpus.id_rank, -line)) if line[row] > 0][:15]
        assert found[found >= 0].tolist() == order
        assert values[found >= 0].tolist() == line[order].tolist()


def test_no_search_holds_more_than_its_share(
    corpus_of: Callable, new_folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = InvertedIndex.build(new_folder(), corpus_of(["a", "b"]), iter([csr(np.eye(2))]))
    monkeypatch.setattr("harness.index.inverted.SCORES", 4)
    asked: list[int] = []
    search = InvertedIndex._search
    monkeypatch.setattr(InvertedIndex, "_search", lambda self, q, k: asked.append(q.shape[0]) or search(self, q, k))
    rows, _ = index.search(csr([[1, 0], [0, 1], [1, 0]]), 1)
    assert asked == [2, 1]  # 2 queries × 2 documents = 4 scores
    assert rows.tolist() == [[0], [1], [0]]


def test_saved_and_loaded(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    corpus, target = corpus_of(["a", "b"]), new_folder()
    InvertedIndex.build(new_folder(), corpus, iter([csr(np.eye(2))])).save(target)
    assert InvertedIndex.load(target, corpus).search(csr([[0, 1]]), 1)[0].tolist() == [[1]]


def test_lists_that_do_not_fit_the_corpus_are_refused(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    corpus, folder = corpus_of(["a", "b", "c"]), new_folder()
    with pytest.raises(DataError, match="3 documents"):
        InvertedIndex.build(folder, corpus, iter([csr(np.eye(2))]))


def test_lists_of_another_type_are_refused(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    corpus, folder = corpus_of(["a", "b"]), new_folder()
    lists = {
        "offsets": np.zeros((1, 3), np.int32),
        "documents": np.zeros(0, np.int32),
        "sizes": np.array([2], np.int32),
    }
    files.write(folder, "inverted", corpus, [lists | {"weights": np.zeros(0)}])
    with pytest.raises(DataError, match="float64"):
        InvertedIndex.load(folder, corpus)


def test_queries_over_another_vocabulary_are_refused(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    index = InvertedIndex.build(new_folder(), corpus_of(["a"]), iter([csr([[1, 2, 3]])]))
    with pytest.raises(DataError, match="3 terms"):
        index.search(csr([[1, 2]]), 1)

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from harness.errors import DataError, ScoreError
from harness.index import files
from harness.index.inverted import InvertedIndex
from harness.scoring.order import topk


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


@pytest.mark.parametrize("way", ["together", "together in parts", "list by list", "without scipy's loop"])
@pytest.mark.parametrize("k", [1, 5, 200])
def test_the_bits_of_scipys_product(
    corpus_of: Callable, new_folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, k: int, way: str
) -> None:
    monkeypatch.setattr("harness.index.inverted.SMALL", 0 if "list" in way or "loop" in way else 900)
    if way == "together in parts":
        monkeypatch.setattr("harness.index.inverted.SCORES", 1500)
    if way == "without scipy's loop":
        monkeypatch.setattr("harness.index.postings.csc_matvec", None)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setattr("harness.index.inverted.SECTION", 300)
    chance = np.random.default_rng(k)
    documents, queries = (
        csr(chance.random((n, 50)) * (chance.random((n, 50)) < share) - 0.1 * (chance.random((n, 50)) < 0.02))
        for n, share in ((900, 0.2), (31, 0.3))
    )
    corpus = corpus_of([f"d{number}" for number in chance.permutation(900)])
    index = InvertedIndex.build(new_folder(), corpus, iter([documents[:400], documents[400:]]))
    expected = sp.csr_array(queries @ documents.T).toarray()
    expected[expected == 0] = -np.inf
    rows, scores = topk(expected, k, corpus.id_rank)
    found = index.search(queries, k)
    np.testing.assert_array_equal(found[0], rows)
    np.testing.assert_array_equal(found[1], scores)


@pytest.mark.parametrize("small", [0, 900])
def test_a_score_that_is_no_number_is_refused(
    corpus_of: Callable, new_folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr("harness.index.inverted.SMALL", small)
    for number in (3, 300):
        weights = np.ones((number, 1))
        weights[-1] = np.nan
        corpus = corpus_of([f"{number}-{row}" for row in range(number)])
        with pytest.raises(ScoreError):
            InvertedIndex.build(new_folder(), corpus, iter([csr(weights)])).search(csr([[1]]), 2)


@pytest.mark.parametrize("damage", [{"documents": [0, 2]}, {"documents": [-1, 0]}, {"offsets": [[0, 2, 1]]}])
def test_lists_that_lead_astray_are_refused(
    corpus_of: Callable, new_folder: Callable[[], Path], damage: dict[str, list[int]]
) -> None:
    corpus, folder = corpus_of(["a", "b"]), new_folder()
    lists = {"offsets": [[0, 1, 2]], "documents": [0, 1], "sizes": [2]} | damage
    arrays = {name: np.array(values, np.int32) for name, values in lists.items()}
    files.write(folder, "inverted", corpus, [arrays | {"weights": np.ones(2, np.float32)}])
    with pytest.raises(DataError, match="posting lists"):
        InvertedIndex.load(folder, corpus)


def test_small_blocks_make_one_section(
    corpus_of: Callable, new_folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.index.inverted.SECTION", 3)
    monkeypatch.setattr("harness.index.inverted.FILLED", 2)
    weights = csr([[1, 0], [0, 1], [1, 1], [2, 0], [0, 2], [1, 0], [1, 2]])
    blocks = (weights[row : row + 1] for row in range(7))
    index = InvertedIndex.build(folder := new_folder(), corpus_of(list("abcdefg")), blocks)
    assert np.fromfile(folder / "sizes.bin", np.int32).tolist() == [3, 4]  # the second has 4 postings only then
    assert index.search(csr([[1, 0], [0, 1]]), 4)[0].tolist() == [[3, 6, 5, 2], [6, 4, 2, 1]]


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

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.errors import DataError
from harness.index import files
from harness.index.dense import DenseIndex
from harness.index.firstpass import SinglePass


def test_scores_by_hand(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    vectors = np.array([[1, 0], [0, 2], [-1, 1]], np.float32)
    index = DenseIndex.build(new_folder(), corpus_of(["a", "b", "c"]), iter([vectors[:2], vectors[2:]]))
    rows, scores = index.search(np.array([[3, 1], [-1, 0]], np.float32), 2)
    # (3, 1) · (1, 0) = 3, · (0, 2) = 2, · (-1, 1) = -2; (-1, 0) · … = -1, 0, 1
    assert rows.tolist() == [[0, 1], [2, 1]]
    assert scores.tolist() == [[3, 2], [1, 0]]


def test_equal_to_sorting_everything_in_small_blocks(
    corpus_of: Callable, new_folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(0)
    vectors, queries = (chance.integers(-3, 4, (n, 4)).astype(np.float32) for n in (97, 23))  # whole numbers: ties
    corpus = corpus_of([f"d{number}" for number in chance.permutation(97)])
    index = DenseIndex.build(new_folder(), corpus, iter(np.split(vectors, [10, 60])))
    whole = index.search(queries, 20)
    every = queries @ vectors.T
    expected = [np.lexsort((-corpus.id_rank, -line))[:20].tolist() for line in every]
    assert whole[0].tolist() == expected
    monkeypatch.setattr(SinglePass, "docs", 7)
    monkeypatch.setattr("harness.index.dense.WANTED", 100)
    parts = index.search(queries, 20)
    np.testing.assert_array_equal(parts[0], whole[0])
    np.testing.assert_array_equal(parts[1], whole[1])


def test_saved_and_loaded(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    corpus, target = corpus_of(["a", "b"]), new_folder()
    DenseIndex.build(new_folder(), corpus, iter([np.eye(2, dtype=np.float32)])).save(target)
    assert (target / "vectors.bin").stat().st_size == 2 * 2 * 4
    assert DenseIndex.load(target, corpus).search(np.array([[0, 1]], np.float32), 1)[0].tolist() == [[1]]


@pytest.mark.parametrize(
    "vectors", [np.eye(3, 2, dtype=np.float32), np.eye(1, 2, dtype=np.float32), np.eye(2), np.ones(2, np.float32)]
)
def test_vectors_that_do_not_fit_the_corpus_are_refused(
    vectors: np.ndarray, corpus_of: Callable, new_folder: Callable[[], Path]
) -> None:
    corpus, folder = corpus_of(["a", "b"]), new_folder()
    files.write(folder, "dense", corpus, [{"vectors": vectors}])
    with pytest.raises(DataError, match="2 float32 vectors"):
        DenseIndex.load(folder, corpus)


def test_queries_of_another_dimension_are_refused(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    index = DenseIndex.build(new_folder(), corpus_of(["a"]), iter([np.ones((1, 3), np.float32)]))
    with pytest.raises(DataError, match="3 dimensions"):
        index.search(np.ones((1, 2), np.float32), 1)


def test_it_is_searched_on_the_device_that_it_is_for(
    corpus_of: Callable, new_folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    devices: list[tuple[str, ...]] = []
    monkeypatch.setattr("harness.index.dense.search", lambda *given: devices.append(given[-1]) or ([[0]], [[1.0]]))
    corpus, query = corpus_of(["a"]), np.ones((1, 2), np.float32)
    for kind in (DenseIndex, DenseIndex.on("cuda:1", "cuda:0")):
        folder = new_folder()
        kind.build(folder, corpus, iter([query])).search(query, 1)
        kind.load(folder, corpus).search(query, 1)
    assert devices == [("cpu",), ("cpu",), ("cuda:1", "cuda:0"), ("cuda:1", "cuda:0")]

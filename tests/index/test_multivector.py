from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.errors import DataError
from harness.index import files
from harness.index.multivector import MultiVectorIndex


def vectors(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 2)


def test_scores_by_hand(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    documents = [vectors((1, 0), (0, 1)), vectors(), vectors((-1, -1)), vectors((2, -5), (0, 0.5), (1, 1))]
    index = MultiVectorIndex.build(new_folder(), corpus_of(["a", "b", "c", "d"]), iter([documents[:3], documents[3:]]))
    rows, scores = index.search([vectors((1, 0), (0, 1)), vectors((-1, 0)), vectors()], 4)
    # First query: a 1 + 1, c -1 - 1, d 2 + 1; b has no token. Second: a 0, c 1, d 0 and d is the larger id.
    assert rows.tolist() == [[3, 0, 2, -1], [2, 3, 0, -1], [-1, -1, -1, -1]]
    assert scores[0, :3].tolist() == [3, 2, -2]
    assert scores[1, :3].tolist() == [1, 0, 0]


def test_equal_to_the_definition_in_small_blocks(
    corpus_of: Callable, new_folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(0)
    documents = [chance.normal(size=(n, 3)).astype(np.float32) for n in chance.integers(0, 9, 40)]
    queries = [chance.normal(size=(n, 3)).astype(np.float32) for n in chance.integers(1, 6, 11)]
    corpus = corpus_of([f"d{number}" for number in range(40)])
    index = MultiVectorIndex.build(new_folder(), corpus, iter([documents[:7], documents[7:]]))
    whole = index.search(queries, 40)
    for query, rows, scores in zip(queries, *whole, strict=True):
        late = {row: (query @ tokens.T).max(axis=1).sum() for row, tokens in enumerate(documents) if len(tokens)}
        order = sorted(late, key=lambda row: -late[row])
        assert rows[rows >= 0].tolist() == order
        np.testing.assert_allclose(scores[rows >= 0], [late[row] for row in order], rtol=1e-6)
    monkeypatch.setattr("harness.index.multivector.TOKENS", 5)
    monkeypatch.setattr("harness.index.multivector.QUERY_TOKENS", 6)
    parts = index.search(queries, 40)
    np.testing.assert_array_equal(parts[0], whole[0])
    np.testing.assert_allclose(parts[1], whole[1], rtol=1e-6)


def test_nothing_but_empty_documents(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    index = MultiVectorIndex.build(new_folder(), corpus_of(["a", "b"]), iter([[vectors(), vectors()]]))
    assert index.search([vectors((1, 0))], 2)[0].tolist() == [[-1, -1]]


def test_saved_and_loaded(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    corpus, target = corpus_of(["a", "b"]), new_folder()
    MultiVectorIndex.build(new_folder(), corpus, iter([[vectors((1, 0)), vectors((0, 1), (0, 2))]])).save(target)
    assert MultiVectorIndex.load(target, corpus).search([vectors((0, 1))], 1)[0].tolist() == [[1]]


@pytest.mark.parametrize("lengths", [[1, 1], [1, 3], [1, 1, 1]])
def test_vectors_that_do_not_fit_the_corpus_are_refused(
    lengths: list[int], corpus_of: Callable, new_folder: Callable[[], Path]
) -> None:
    corpus, folder = corpus_of(["a", "b"]), new_folder()
    arrays = {"vectors": np.ones((3, 2), np.float32), "lengths": np.array(lengths, np.int32)}
    files.write(folder, "multi-vector", corpus, [arrays])
    with pytest.raises(DataError, match="2 documents"):
        MultiVectorIndex.load(folder, corpus)


def test_queries_of_another_dimension_are_refused(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    index = MultiVectorIndex.build(new_folder(), corpus_of(["a"]), iter([[vectors((1, 0))]]))
    with pytest.raises(DataError, match="2 dimensions"):
        index.search([np.ones((1, 3), np.float32)], 1)

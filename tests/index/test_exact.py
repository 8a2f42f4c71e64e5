"""Whatever computes first, rows and scores are those of scoring every pair and sorting."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import pytest
import torch  # noqa: F401 - what it can do is asked where it is loaded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from harness.errors import ScoreError
from harness.index import exact, pool
from harness.index.bounds import longest
from harness.index.devicepass import DevicePass
from harness.index.dots import dots
from harness.index.firstpass import FirstPass, SinglePass
from harness.index.halfpass import HalfPass, half_is_possible
from harness.index.threads import one_each

half_only = pytest.mark.skipif(not half_is_possible(), reason="torch may sum in bfloat16 on this processor")
KINDS = ("whole", "normal", "clusters", "near ties", "wide", "one huge", "denormal", "opposite", "same", "far off")


def case(kind: str, chance: np.random.Generator, docs: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Five queries, and documents that are hard in one way."""
    queries, documents = chance.normal(size=(5, dim)), chance.normal(size=(docs, dim))
    if kind == "whole":
        queries, documents = np.rint(queries), np.rint(documents)
    elif kind == "clusters":
        documents = documents[chance.integers(0, 3, docs) % docs] + 0.01 * documents
    elif kind == "near ties":
        documents = documents[:1] * (1 + 2.0**-23 * chance.integers(-3, 4, (docs, 1)))
    elif kind == "wide":
        documents *= 2.0 ** chance.integers(-40, 40, (docs, 1))
    elif kind == "one huge":
        documents[chance.integers(docs)] *= 1e20
    elif kind == "denormal":
        documents *= 1e-40
    elif kind == "opposite":
        documents = -np.abs(documents)
        queries = np.abs(queries)
    elif kind == "same":
        documents[:] = documents[0]
    elif kind == "far off":
        documents = 100 + 0.01 * documents
    return queries.astype(np.float32), documents.astype(np.float32)


def by_definition(
    queries: np.ndarray, documents: np.ndarray, k: int, id_rank: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    query, row = (places.ravel().astype(np.int32) for places in np.indices((len(queries), len(documents))))
    every = dots(queries, documents, query, row).reshape(len(queries), len(documents))
    rows = np.full((len(queries), k), -1, np.int32)
    rows[:, : len(documents)] = [np.lexsort((-id_rank, -line))[:k] for line in every]
    scores = np.take_along_axis(every, np.maximum(rows, 0), axis=1)
    return rows, np.where(rows >= 0, scores, -np.inf)


def centred(queries: np.ndarray, documents: np.ndarray) -> HalfPass:
    return HalfPass(queries, documents.mean(axis=0))


MAKERS: dict[str, Callable[[np.ndarray, np.ndarray], FirstPass]] = {
    "single": lambda queries, _: SinglePass(queries),
    "half": lambda queries, _: HalfPass(queries),
    "half, centred": centred,
    "device": lambda queries, _: DevicePass(queries, "cpu"),
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Blocks of a few documents."""
    for kind in (SinglePass, HalfPass, DevicePass):
        monkeypatch.setattr(kind, "docs", 16)
    return monkeypatch


def searched(
    make: Callable[[np.ndarray, np.ndarray], FirstPass],
    queries: np.ndarray,
    documents: np.ndarray,
    k: int,
    id_rank: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[np.ndarray, np.ndarray]:
    monkeypatch.setattr(exact, "_first", lambda *_: make(queries, documents))
    return exact.search(documents, queries, k, id_rank, lambda rows: longest(documents[rows]), ("cpu",))


@pytest.mark.parametrize("room", [pool.ROOM, 1])
@pytest.mark.parametrize("name", [pytest.param(name, marks=half_only if "half" in name else ()) for name in MAKERS])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(KINDS),
    docs=st.integers(1, 90),
    dim=st.sampled_from([1, 3, 32, 65]),
    k=st.integers(1, 40),
)
def test_all_passes_give_what_sorting_all_scores_gives(
    *, name: str, room: int, seed: int, kind: str, docs: int, dim: int, k: int, small: pytest.MonkeyPatch
) -> None:
    small.setattr(pool, "ROOM", room)
    chance = np.random.default_rng(seed)
    queries, documents = case(kind, chance, docs, dim)
    id_rank = chance.permutation(docs).astype(np.int32)
    wanted = by_definition(queries, documents, k, id_rank)
    found = searched(MAKERS[name], queries, documents, k, id_rank, small)
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_array_equal(found[1], wanted[1])


@half_only
def test_without_its_error_bound_the_half_pass_loses_documents(small: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0)
    queries, documents = case("near ties", chance, 90, 32)
    id_rank = np.arange(90, dtype=np.int32)
    wanted = by_definition(queries, documents, 10, id_rank)
    small.setattr(HalfPass, "off", lambda self, _: np.zeros(5))
    small.setattr(HalfPass, "rounding", 0.0)
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(searched(MAKERS["half"], queries, documents, 10, id_rank, small)[0], wanted[0])


@half_only
def test_where_too_much_is_near_the_best_the_search_goes_on_in_float32(small: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0)
    queries, documents = case("near ties", chance, 2000, 32)
    id_rank = chance.permutation(2000).astype(np.int32)
    used: list[str] = []
    for kind in (SinglePass, HalfPass):
        product = kind.product
        small.setattr(
            kind, "product", lambda self, block, of=product, n=kind.__name__: used.append(n) or of(self, block)
        )
    found = searched(MAKERS["half"], queries, documents, 2, id_rank, small)
    np.testing.assert_array_equal(found[0], by_definition(queries, documents, 2, id_rank)[0])
    assert used[0] == "HalfPass"
    assert used[-1] == "SinglePass"
    assert len(used) == 2000 // 16


@half_only
@pytest.mark.parametrize("faster", [SinglePass, HalfPass])
def test_the_pass_that_is_faster_is_taken(faster: type, monkeypatch: pytest.MonkeyPatch) -> None:
    queries, documents = case("normal", np.random.default_rng(0), 300, 8)
    monkeypatch.setattr(exact, "_seconds", lambda first, _: 1 if isinstance(first, faster) else 2)
    assert isinstance(exact._first(documents, queries, 2, "cpu"), SinglePass)  # too little work for a trial
    monkeypatch.setattr(exact, "WORTH", 1)
    assert isinstance(exact._first(documents, queries, 2, "cpu"), faster)
    assert isinstance(exact._first(documents, queries, 3, "cpu"), SinglePass)  # too few documents for each wanted


def test_without_torch_there_is_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert not half_is_possible()


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e30])
def test_vectors_without_a_score_are_refused(wrong: float) -> None:
    queries, documents = np.full((1, 2), 1e10, np.float32), np.ones((3, 2), np.float32)
    documents[1, 1] = wrong
    for given_queries, given_documents in ((queries, documents), (documents, queries)):
        with pytest.raises(ScoreError):
            exact.search(
                given_documents,
                given_queries,
                1,
                np.arange(len(given_documents), dtype=np.int32),
                lambda rows, of=given_documents: longest(of[rows]),
                ("cpu",),
            )


@pytest.mark.parametrize(("documents", "devices"), [(2, 3), (1000, 2), (1001, 3)])
def test_several_devices_find_what_one_finds(documents: int, devices: int) -> None:
    chance = np.random.default_rng(documents)
    vectors = chance.integers(-2, 3, (documents, 4)).astype(np.float32)  # many ties
    queries = chance.integers(-2, 3, (7, 4)).astype(np.float32)
    id_rank = chance.permutation(documents).astype(np.int32)

    def found(*names: str) -> tuple[list[list[int]], list[list[float]]]:
        rows, scores = exact.search(vectors, queries, 50, id_rank, lambda rows: longest(vectors[rows]), names)
        return rows.tolist(), scores.tolist()

    assert found(*["cpu"] * devices) == found("cpu")


def test_threads_find_what_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0)
    vectors = chance.integers(-2, 3, (1000, 4)).astype(np.float32)  # many ties
    queries, id_rank = vectors[:7], chance.permutation(1000).astype(np.int32)

    def found() -> tuple[list[list[int]], list[list[float]]]:
        rows, scores = exact.search(vectors, queries, 50, id_rank, lambda rows: longest(vectors[rows]))
        return rows.tolist(), scores.tolist()

    expected, used = found(), []
    monkeypatch.setattr(exact, "WORTH", 1)
    monkeypatch.setattr(exact, "one_each", lambda: nullcontext(3))
    monkeypatch.setattr(SinglePass, "docs", 16)
    product = SinglePass.product
    monkeypatch.setattr(SinglePass, "product", lambda self, block: used.append(self) or product(self, block))
    assert found() == expected
    assert len(used) == -(-1000 // 16)


def test_inside_a_product_takes_one_thread() -> None:
    def threads() -> list[int]:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    before = threads()
    with one_each() as number:
        assert number == min(before)
        assert set(threads()) == {1}
    assert threads() == before


def test_nothing_is_found_where_nothing_is_wanted() -> None:
    queries, documents = case("normal", np.random.default_rng(0), 9, 4)
    found = exact.search(documents, queries, 0, np.arange(9, dtype=np.int32), lambda rows: 9.0, ("cpu",))
    assert [array.shape for array in found] == [(5, 0), (5, 0)]


MEMORY = """
import sys
import numpy as np
import psutil
from harness.index import exact
from harness.index.bounds import longest
from harness.index.firstpass import SinglePass

docs, wanted = int(sys.argv[1]), int(sys.argv[2])
vectors = np.memmap(sys.argv[3], np.float32, "r", shape=(docs, 64)).view(np.ndarray)
queries, ranks = np.array(vectors[:512]), np.arange(docs, dtype=np.int32)
most, product = 0, SinglePass.product

def watched(self, documents):
    global most
    found = product(self, documents)
    most = max(most, psutil.Process().memory_full_info().uss)
    return found

SinglePass.product = watched
exact.search(vectors[:4096], queries, wanted, ranks, lambda rows: longest(vectors[rows]), ("cpu",))
mapped = lambda: sum(m.private_clean + m.private_dirty for m in psutil.Process().memory_maps() if m.path == sys.argv[3])
before, most = psutil.Process().memory_full_info().uss - mapped(), 0
exact.search(vectors, queries, wanted, ranks, lambda rows: longest(vectors[rows]), ("cpu",))
print(most - mapped() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="private memory is told apart from mapped files on Linux")
def test_memory_does_not_grow_with_the_corpus(tmp_path) -> None:
    path = tmp_path / "vectors"
    docs = 100_000
    np.random.default_rng(0).standard_normal(size=(docs, 64), dtype=np.float32).tofile(path)
    for wanted in (1, 100):
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(docs), str(wanted), str(path)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert int(done.stdout) < 20e6, done.stdout  # scores of all pairs: 205 MB

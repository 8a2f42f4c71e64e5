"""Scores are dot products rounded, whatever order they are summed in; error bounds hold."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import ScoreError
from harness.index import dots as module
from harness.index.bounds import Rounded, check, error, lengths, longest
from harness.index.dots import dots


def exact(query: np.ndarray, document: np.ndarray) -> Fraction:
    """The dot product without any rounding."""
    return sum((Fraction(float(a)) * Fraction(float(b)) for a, b in zip(query, document, strict=True)), Fraction(0))


def vectors(chance: np.random.Generator, number: int, dim: int, spread: int) -> np.ndarray:
    """Vectors whose components differ by powers of two up to twice the spread."""
    powers = chance.integers(-spread, spread + 1, (number, dim)).astype(np.float64)
    return (chance.normal(size=(number, dim)) * 2.0**powers).astype(np.float32)


@pytest.mark.parametrize("crowd", [0, 10**6])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(1, 40), st.sampled_from([0, 3, 20, 60]))
def test_a_score_is_the_dot_product_rounded(
    monkeypatch: pytest.MonkeyPatch, crowd: int, seed: int, dim: int, spread: int
) -> None:
    monkeypatch.setattr(module, "CROWD", crowd)
    monkeypatch.setattr(module, "AT_ONCE", 2)
    chance = np.random.default_rng(seed)
    queries, documents = vectors(chance, 3, dim, spread), vectors(chance, 5, dim, spread)
    query, row = chance.integers(0, 3, 9).astype(np.int32), chance.integers(0, 5, 9).astype(np.int32)
    found = dots(queries, documents, query, row)
    wanted = [np.float32(float(exact(queries[a], documents[b]))) for a, b in zip(query, row, strict=True)]
    assert found.tolist() == wanted


@pytest.mark.parametrize(("numbers", "score"), [((2.0**80, 1, -(2.0**80)), 1), ((1, 2.0**-24, 2.0**-50), 1 + 2.0**-23)])
def test_what_a_sum_in_float64_would_lose_or_tie(numbers: tuple[float, ...], score: float) -> None:
    one, zero = np.ones((1, 3), np.float32), np.zeros(1, np.int32)
    assert dots(one, np.array([numbers], np.float32), zero, zero).tolist() == [score]


def test_a_pair_has_the_same_score_in_any_company() -> None:
    chance = np.random.default_rng(0)
    queries, documents = vectors(chance, 40, 96, 8), vectors(chance, 50, 96, 8)
    query, row = (places.ravel().astype(np.int32) for places in np.indices((40, 50)))
    whole = dots(queries, documents, query, row)
    some = chance.permutation(len(row))[:333]
    np.testing.assert_array_equal(dots(queries, documents, query[some], row[some]), whole[some])


@given(st.integers(0, 10**6), st.integers(1, 30), st.sampled_from([0, 10, 60, 75]))
def test_the_error_bound_holds_in_any_order_of_the_sum(seed: int, dim: int, spread: int) -> None:
    chance = np.random.default_rng(seed)
    queries, documents = vectors(chance, 4, dim, spread), vectors(chance, 6, dim, 0)
    order = chance.permutation(dim)
    product = np.zeros((4, 6), np.float32)
    for place in order:  # one rounding for each product and for each sum
        product += queries[:, place, None] * documents[None, :, place]
    score = [[float(exact(query, document)) for document in documents] for query in queries]
    off = error(Rounded(lengths(queries)), Rounded(longest(documents)), dim)
    assert (np.abs(product - score) <= off[:, None]).all()


def test_lengths_by_hand() -> None:
    found = lengths(np.array([[3, 4], [0, 0], [3e25, 4e25], [3e-30, 4e-30]], np.float32))
    np.testing.assert_allclose(found[[0, 2]], [5, 5e25], rtol=1e-5)
    assert found[0] >= 5
    assert 0 <= found[1] < 1e-17
    assert 5e-30 <= found[3] < 1e-17  # the squares are below float32, the bound is above them


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 3e38])
def test_what_has_no_length_is_refused(wrong: float) -> None:
    with pytest.raises(ScoreError, match="finite length"):
        lengths(np.array([[1, 2], [wrong, wrong]], np.float32))


def test_lengths_whose_product_is_too_large_are_refused() -> None:
    check(np.array([1e18]), 1e19)
    with pytest.raises(ScoreError, match="normalise"):
        check(np.array([1.0, 1e19]), 1e19)

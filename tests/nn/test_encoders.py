"""Our batches against the library's own encoding, on models of random weights."""

import string
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from harness.contracts import Context
from harness.errors import ConfigError
from harness.nn.encoders import DenseEncoder, MultiVectorEncoder, SparseEncoder
from harness.nn.loading import adjust, load

pytestmark = pytest.mark.skipif(
    find_spec("sentence_transformers") is None, reason="sentence_transformers is not installed"
)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    chance = np.random.default_rng(0)
    words = ["".join(chance.choice([*string.ascii_lowercase], int(chance.integers(1, 9)))) for _ in range(50)]
    return [" ".join(chance.choice(words, int(chance.integers(0, 30)))) for _ in range(40)] + ["", "same", "same"]


def small_batches(monkeypatch: pytest.MonkeyPatch, encoder: type) -> None:
    monkeypatch.setattr(encoder, "cpu_tokens", 100)


@pytest.mark.parametrize("role", ["query", "document"])
def test_dense(
    tiny_dense: Path, context: Context, texts: list[str], role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load("dense", str(tiny_dense), context)
    plain = (model.encode_query if role == "query" else model.encode_document)(texts)
    for encoder in (DenseEncoder(model), DenseEncoder(model, "cosine")):
        small_batches(monkeypatch, DenseEncoder)
        unit = plain / np.linalg.norm(plain, axis=1, keepdims=True)
        np.testing.assert_allclose(encoder(texts, role), unit, atol=1e-5)
    small_batches(monkeypatch, DenseEncoder)
    np.testing.assert_allclose(DenseEncoder(model, "dot")(texts, role), plain, atol=1e-5)


def test_queries_have_their_prompt(tiny_dense: Path, context: Context) -> None:
    encoder = DenseEncoder(load("dense", str(tiny_dense), context))
    query, document, spelt_out = (
        encoder(["abc"], "query"),
        encoder(["abc"], "document"),
        encoder(["q: abc"], "document"),
    )
    np.testing.assert_allclose(query, spelt_out, atol=1e-6)
    assert np.abs(query - document).max() > 1e-2


def test_truncated_vectors_are_unit_vectors_again(tiny_dense: Path, context: Context, texts: list[str]) -> None:
    model = load("dense", str(tiny_dense), context)
    adjust(model, truncate_dim=3)
    vectors = DenseEncoder(model)(texts, "document")
    assert vectors.shape == (len(texts), 3)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_equal_texts_have_equal_vectors(tiny_dense: Path, context: Context, texts: list[str]) -> None:
    vectors = DenseEncoder(load("dense", str(tiny_dense), context))(["same", *texts], "document")
    assert (vectors[0] == vectors[-1]).all()
    assert (vectors[0] == vectors[-2]).all()


def test_a_similarity_that_is_no_dot_product_is_refused(tiny_dense: Path, context: Context) -> None:
    model = load("dense", str(tiny_dense), context)
    model.similarity_fn_name = "euclidean"
    with pytest.raises(ConfigError, match="euclidean"):
        DenseEncoder(model)
    DenseEncoder(model, "dot")


@pytest.mark.parametrize("kept", [None, 5])
def test_sparse(
    tiny_bert: Path, context: Context, texts: list[str], kept: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load("sparse", str(tiny_bert), context)
    small_batches(monkeypatch, SparseEncoder)
    weights = SparseEncoder(model, kept)(texts, "document")
    plain = model.encode_document(texts, max_active_dims=kept).to_dense().numpy()
    np.testing.assert_allclose(weights.toarray(), plain, atol=1e-5)
    assert weights.nnz == np.count_nonzero(weights.toarray())
    assert kept is None or np.diff(weights.indptr).max() <= kept


def test_sparse_of_unit_length(tiny_bert: Path, context: Context) -> None:
    model = load("sparse", str(tiny_bert), context)
    model.similarity_fn_name = "cosine"
    assert np.linalg.norm(SparseEncoder(model)(["abc"], "query").toarray()) == pytest.approx(1)


@pytest.fixture
def multi_vector(tiny_bert: Path) -> Callable[..., object]:
    """A MultiVectorEncoder of random weights, as its library makes one of a plain transformer."""
    from sentence_transformers import MultiVectorEncoder as Library

    return lambda **options: Library(str(tiny_bert), device="cpu", **options)


@pytest.mark.parametrize("role", ["query", "document"])
def test_multi_vector(multi_vector: Callable, texts: list[str], role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = multi_vector()
    small_batches(monkeypatch, MultiVectorEncoder)
    plain = (model.encode_query if role == "query" else model.encode_document)(texts, convert_to_numpy=True)
    for ours, theirs in zip(MultiVectorEncoder(model)(texts, role), plain, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_mean_of_similarities(multi_vector: Callable) -> None:
    sums, means = MultiVectorEncoder(multi_vector()), MultiVectorEncoder(multi_vector(similarity_fn_name="meanmaxsim"))
    means.model.load_state_dict(sums.model.state_dict())
    (query,), (shared,) = sums(["abc"], "query"), means(["abc"], "query")
    np.testing.assert_allclose(shared, query / 5, atol=1e-6)  # [CLS] a ##b ##c [SEP]
    np.testing.assert_allclose(means(["abc"], "document")[0], sums(["abc"], "document")[0], atol=1e-6)


def test_no_text(tiny_dense: Path, tiny_bert: Path, context: Context, multi_vector: Callable) -> None:
    assert DenseEncoder(load("dense", str(tiny_dense), context))([], "query").shape == (0, 16)
    assert SparseEncoder(load("sparse", str(tiny_bert), context))([], "query").shape == (0, 58)
    assert MultiVectorEncoder(multi_vector())([], "query") == []

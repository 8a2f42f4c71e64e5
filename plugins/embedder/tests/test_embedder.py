"""The embedder's scores are dot products of vectors that it computes once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from harness_embedder import Config
from harness_embedder.method import EmbedderTeacher

from harness.contracts import Context
from harness.nn.encoders import DenseEncoder
from harness.records import Document, Query
from harness.signals.store import SignalStore
from harness.signals.teacher import RememberingTeacher
from harness.testing import TeacherContract
from harness.testing.models import tiny_cross_encoder


class TestContract(TeacherContract):
    plugin = "embedder"
    identity_options = {  # noqa: RUF012
        "max_length": "64",
        "truncate_dim": "100",
        "similarity": "dot",
        "query_prompt": "query: ",
        "document_prompt": "passage: ",
        "precision": "bfloat16",
    }

    @pytest.fixture
    def options(self, models: Path) -> dict[str, str]:
        return {"model": str(models / "minilm-l3")}


@pytest.fixture
def config(models: Path) -> Config:
    return Config(model=str(models / "minilm-l3"), query_prompt="query: ")


def teacher(config: Config, folder: Path) -> EmbedderTeacher:
    folder.mkdir()
    return EmbedderTeacher(config, Context(folder=folder, build=lambda use: None))


QUERIES = [Query(id="a", text="who eats"), Query(id="b", text="space flight")]
DOCUMENTS = [Document(id="1", title="Meals", text="A man is eating."), Document(id="2", text="Rockets fly.")]


def test_scores_are_dot_products(config: Config, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(config.model, device="cpu")
    queries = model.encode(["query: who eats", "query: space flight"], normalize_embeddings=True)
    documents = model.encode(["Meals A man is eating.", "Rockets fly."], normalize_embeddings=True)
    made = teacher(config, tmp_path / "t")
    pairs = [(query, document) for query in QUERIES for document in DOCUMENTS]
    np.testing.assert_allclose(made.score(pairs), (queries @ documents.T).ravel(), atol=1e-5)
    np.testing.assert_allclose(made.embed(["who eats"], "query")[0], queries[0], atol=1e-5)
    np.testing.assert_allclose(made.embed(["Rockets fly."], "document")[0], documents[1], atol=1e-5)


def test_each_text_is_encoded_once(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    encode = DenseEncoder.__call__
    monkeypatch.setattr(
        DenseEncoder, "__call__", lambda s, texts, role: asked.append((role, *texts)) or encode(s, texts, role)
    )
    made = teacher(config, tmp_path / "t")
    once = made.score([(query, DOCUMENTS[0]) for query in QUERIES])
    again = made.score([(query, document) for document in DOCUMENTS for query in QUERIES])
    np.testing.assert_array_equal(again[:2], once)
    assert made.embed(["Rockets fly."], "query").shape == (1, 384)  # the same text as a query is another
    assert asked == [
        ("query", "who eats", "space flight"),
        ("document", "Meals A man is eating."),
        ("document", "Rockets fly."),
        ("query", "Rockets fly."),
    ]


def test_blocks_of_pairs_change_nothing(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [(query, document) for query in QUERIES for document in DOCUMENTS]
    whole = teacher(config, tmp_path / "whole").score(pairs)
    monkeypatch.setattr("harness_embedder.method.PAIRS", 3)
    np.testing.assert_allclose(teacher(config, tmp_path / "parts").score(pairs), whole, atol=1e-6)


def test_what_the_checkpoint_says_anyway_is_no_other_teacher(models: Path, tmp_path: Path) -> None:
    plain = Config(model=str(models / "minilm-l3"))
    spelt_out = Config(model=str(models / "minilm-l3"), max_length=128, similarity="cosine", query_prompt="")
    assert teacher(plain, tmp_path / "a").identity == teacher(spelt_out, tmp_path / "b").identity


def test_half_precision_is_near_and_is_another_teacher(config: Config, tmp_path: Path) -> None:
    pairs = [(query, document) for query in QUERIES for document in DOCUMENTS]
    whole, half = teacher(config, tmp_path / "a"), teacher(replace(config, precision="bfloat16"), tmp_path / "b")
    vectors = half.embed(["who eats"], "query")
    assert vectors.dtype == half.score(pairs).dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(half.score(pairs), whole.score(pairs), atol=0.02)
    assert not np.array_equal(half.score(pairs), whole.score(pairs))
    assert half.identity != whole.identity


def test_half_precision_keeps_unit_vectors_unit_vectors(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    model = SentenceTransformer(tiny_cross_encoder(tmp_path / "tiny"), device="cpu")
    model.append(Dense(32, 16, activation_function=torch.nn.Identity()))  # gives bfloat16 under autocast
    model.save(str(tmp_path / "dense"))
    made = teacher(Config(model=str(tmp_path / "dense"), precision="bfloat16", similarity="cosine"), tmp_path / "t")
    vectors = made.embed(["who eats", "space flight"], "query")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_signal_store_keeps_its_vectors(config: Config, tmp_path: Path) -> None:
    made = teacher(config, tmp_path / "t")
    pairs = [(query, document) for query in QUERIES for document in DOCUMENTS]
    ours = RememberingTeacher(teacher=made, store=SignalStore(tmp_path / "signals"))
    np.testing.assert_allclose(ours.score(pairs), made.score(pairs), atol=1e-6)
    np.testing.assert_array_equal(ours.score(pairs[1:2]), ours.score(pairs)[1:2])
    assert ours.account.calls == len(QUERIES) + len(DOCUMENTS)

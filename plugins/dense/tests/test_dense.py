"""Dense retrieval with real and random weights."""

from pathlib import Path

import numpy as np
import pytest
from harness_dense import Config
from harness_dense.method import build

from harness.contracts import Context
from harness.data.corpus import build_corpus
from harness.records import Document, Query
from harness.testing import RetrieverContract


class TestContract(RetrieverContract):
    plugin = "dense"

    @pytest.fixture
    def options(self, models: Path) -> dict[str, str]:
        return {"model": str(models / "minilm-l3")}


TEXTS = ("A man is eating food.", "Someone is having a meal.", "Rockets fly to the Moon.")


def find(config: Config, folder: Path, query: str) -> list[tuple[int, float]]:
    corpus = build_corpus([Document(id=f"d{row}", text=text) for row, text in enumerate(TEXTS)], folder / "corpus")
    retriever = build(config, Context(folder=folder, build=lambda use: None))
    retriever.index(corpus)
    run = retriever.search([Query(id="q", text=query)], 3)
    return list(zip(run.rows[0].tolist(), run.scores[0].tolist(), strict=True))


def test_scores_are_cosines(models: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(models / "minilm-l3"), device="cpu")
    vectors, query = model.encode(list(TEXTS)), model.encode(["Someone eats."])[0]
    cosines = [float(v @ query / np.linalg.norm(v) / np.linalg.norm(query)) for v in vectors]
    found = find(Config(model=str(models / "minilm-l3")), tmp_path, "Someone eats.")
    assert [row for row, _ in found] == sorted(range(3), key=lambda row: -cosines[row])
    assert dict(found) == pytest.approx(dict(enumerate(cosines)), abs=1e-5)
    dots = find(Config(model=str(models / "minilm-l3"), similarity="dot"), tmp_path / "dot", "Someone eats.")
    assert dict(dots) == pytest.approx(dict(enumerate(vectors @ query)), abs=1e-4)  # this checkpoint doesn't normalise


def test_options_reach_the_model(models: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(models / "minilm-l3"), device="cpu", truncate_dim=32)
    model.max_seq_length = 4
    model[1].pooling_mode = "cls"
    vectors = model.encode(["d: " + text for text in TEXTS], normalize_embeddings=True)
    query = model.encode(["q: Someone eats."], normalize_embeddings=True)[0]
    config = Config(
        model=str(models / "minilm-l3"),
        max_length=4,
        truncate_dim=32,
        pooling="cls",
        query_prompt="q: ",
        document_prompt="d: ",
    )
    assert dict(find(config, tmp_path, "Someone eats.")) == pytest.approx(dict(enumerate(vectors @ query)), abs=1e-5)


def test_parameters_are_counted(models: Path, tmp_path: Path) -> None:
    retriever = build(Config(model=str(models / "minilm-l3")), Context(folder=tmp_path, build=lambda use: None))
    assert retriever.parameters == 17_389_824  # 30,522 words and 512 positions of 384, three layers, a pooler

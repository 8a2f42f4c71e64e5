"""Late interaction: no trained checkpoint is at hand, so one of random weights, and MiniLM's own token vectors."""

from pathlib import Path

import numpy as np
import pytest
from harness_late_interaction import Config
from harness_late_interaction.method import build

from harness.contracts import Context
from harness.data.corpus import build_corpus
from harness.errors import CheckpointError, ConfigError
from harness.records import Document, Query
from harness.testing import RetrieverContract


class TestContract(RetrieverContract):
    plugin = "late-interaction"

    @pytest.fixture
    def options(self, models: Path) -> dict[str, str]:
        return {"model": str(models / "minilm-l3"), "untrained": "true"}


TEXTS = ("A man is eating food.", "Someone is having a meal, and more.", "Rockets fly to the Moon.")


def find(config: Config, folder: Path, query: str) -> dict[int, float]:
    corpus = build_corpus([Document(id=f"d{row}", text=text) for row, text in enumerate(TEXTS)], folder / "corpus")
    retriever = build(config, Context(folder=folder, build=lambda use: None))
    retriever.index(corpus)
    run = retriever.search([Query(id="q", text=query)], 3)
    return dict(zip(run.rows[0].tolist(), run.scores[0].tolist(), strict=True))


def test_untrained_is_maxsim_over_token_vectors(models: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = str(models / "minilm-l3")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

    def vectors(text: str) -> np.ndarray:
        with torch.inference_mode():
            found = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].numpy()
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    query = vectors("who eats")
    expected = {row: float((query @ vectors(text).T).max(axis=1).sum()) for row, text in enumerate(TEXTS)}
    assert find(Config(model=folder, untrained=True), tmp_path, "who eats") == pytest.approx(expected, abs=1e-4)


@pytest.fixture
def trained(models: Path, tmp_path: Path) -> str:
    """A checkpoint as ColBERT's: a projection, query tokens filled up to 8 with [MASK], punctuation left out."""
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Dense, Normalize
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
    from sentence_transformers.sentence_transformer.modules import Transformer

    encoder = Transformer(str(models / "minilm-l3"), query_expansion={"strategy": "fixed", "length": 8})
    projection = Dense(384, 16, bias=False, module_input_name="token_embeddings")
    modules = [encoder, projection, MultiVectorMask([",", "."]), Normalize("token_embeddings")]
    model = MultiVectorEncoder(modules=modules, prompts={"query": "", "document": ""}, device="cpu")
    model.save_pretrained(str(tmp_path / "colbert"), create_model_card=False)
    return str(tmp_path / "colbert")


def test_a_checkpoint_says_what_counts(trained: str, tmp_path: Path) -> None:
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(trained, device="cpu")
    query, documents = model.encode_query(["who eats"]), model.encode_document(list(TEXTS))
    assert [len(query[0]), *map(len, documents)] == [8, 7, 9, 7]  # [CLS] and [SEP] count, punctuation doesn't
    expected = dict(enumerate(model.similarity(query, documents)[0].tolist()))
    assert find(Config(model=trained), tmp_path, "who eats") == pytest.approx(expected, abs=1e-4)


def test_documents_are_cut(trained: str, tmp_path: Path) -> None:
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(trained, device="cpu")
    model[0].document_length = 4
    expected = model.similarity(model.encode_query(["who eats"]), model.encode_document(list(TEXTS)))[0].tolist()
    found = find(Config(model=trained, document_length=4), tmp_path, "who eats")
    assert found == pytest.approx(dict(enumerate(expected)), abs=1e-4)


def test_a_length_that_the_model_can_not_read(trained: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at most 128"):
        build(Config(model=trained, document_length=129), Context(folder=tmp_path, build=lambda use: None))


def test_a_dense_checkpoint_has_no_projection(models: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="random"):
        build(Config(model=str(models / "minilm-l3")), Context(folder=tmp_path, build=lambda use: None))

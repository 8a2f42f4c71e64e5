"""Static embeddings: a table of three words by hand, and GloVe."""

from pathlib import Path

import pytest
from harness_static import Config
from harness_static.method import build

from harness.contracts import Context
from harness.data.corpus import build_corpus
from harness.errors import CheckpointError
from harness.records import Document, Query
from harness.testing import RetrieverContract


class TestContract(RetrieverContract):
    plugin = "static"

    @pytest.fixture
    def options(self, models: Path) -> dict[str, str]:
        return {"model": str(models / "glove")}


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Vectors of three words."""
    torch = pytest.importorskip("torch")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"cat": 0, "dog": 1, "car": 2, "?": 3}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    vectors = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 2.0], [0.0, 0.0]])
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, vectors)], device="cpu")
    model.save_pretrained(str(tmp_path / "table"), create_model_card=False)
    return str(tmp_path / "table")


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [
        # cat (1, 0); mean of cat and dog (0.8, 0.4); car (0, 2); query dog (0.6, 0.8)
        ("dot", {0: 0.6, 1: 0.8 * 0.6 + 0.4 * 0.8, 2: 1.6, 3: 0.0}),
        ("cosine", {0: 0.6, 1: 0.8 / (0.8**2 + 0.4**2) ** 0.5, 2: 0.8, 3: 0.0}),
    ],
)
def test_scores_by_hand(table: str, tmp_path: Path, similarity: str, expected: dict[int, float]) -> None:
    texts = ("cat", "cat dog", "car", "")
    corpus = build_corpus([Document(id=f"d{row}", text=text) for row, text in enumerate(texts)], tmp_path / "corpus")
    retriever = build(Config(model=table, similarity=similarity), Context(folder=tmp_path, build=lambda use: None))
    retriever.index(corpus)
    run = retriever.search([Query(id="q", text="dog")], 4)
    assert dict(zip(run.rows[0].tolist(), run.scores[0].tolist(), strict=True)) == pytest.approx(expected, abs=1e-6)


def test_a_network_is_no_table(models: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="--plugin dense"):
        build(Config(model=str(models / "minilm-l3")), Context(folder=tmp_path, build=lambda use: None))

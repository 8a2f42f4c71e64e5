import string
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.contracts import Context


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A masked language model of two layers with random weights that reads letters; a plain transformers folder."""
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertForMaskedLM, BertTokenizer

    marks = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    tokens = [*marks, *string.ascii_lowercase, *(f"##{letter}" for letter in string.ascii_lowercase), ":"]
    tokenizer = BertTokenizer(vocab={token: place for place, token in enumerate(tokens)}, model_max_length=64)
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    folder = tmp_path_factory.mktemp("tiny-bert")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """What a plugin is given."""
    return Context(folder=tmp_path, build=lambda use: None)


@pytest.fixture(scope="session")
def tiny_dense(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a SentenceTransformer, with prompts."""
    from sentence_transformers import SentenceTransformer

    folder = tmp_path_factory.mktemp("tiny-dense")
    model = SentenceTransformer(str(tiny_bert), device="cpu", prompts={"query": "q: ", "document": ""})
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], Path]:
    """A copy of a folder, to damage."""
    import shutil

    return lambda folder: Path(shutil.copytree(folder, tmp_path / "copy"))

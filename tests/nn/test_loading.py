"""Models of random weights, loaded, changed and refused."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.contracts import Context
from harness.errors import CheckpointError, ConfigError, MissingExtra
from harness.nn.loading import adjust, load, parameters

pytestmark = pytest.mark.skipif(
    find_spec("sentence_transformers") is None, reason="sentence_transformers is not installed"
)


def test_a_plain_transformer_is_averaged(tiny_bert: Path, context: Context) -> None:
    model = load("dense", str(tiny_bert), context)
    assert [type(module).__name__ for module in model] == ["Transformer", "Pooling"]
    assert model[1].pooling_mode == "mean"
    assert not model.training


def test_half_precision_becomes_fp32(tiny_bert: Path, tmp_path: Path, context: Context) -> None:
    import torch
    from transformers import AutoTokenizer, BertModel

    BertModel.from_pretrained(tiny_bert, dtype=torch.bfloat16).save_pretrained(tmp_path / "half")
    AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(tmp_path / "half")
    model = load("dense", str(tmp_path / "half"), context)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("family", "of"), [("sparse", "dense"), ("multi-vector", "dense"), ("cross-encoder", "dense"), ("multi-vector", "")]
)
def test_models_whose_layers_would_be_random_are_refused(
    family: str, of: str, tiny_bert: Path, tiny_dense: Path, context: Context
) -> None:
    with pytest.raises(CheckpointError, match="random"):
        load(family, str(tiny_dense if of else tiny_bert), context)


def test_a_masked_language_model_is_a_sparse_encoder(tiny_bert: Path, context: Context) -> None:
    assert [type(module).__name__ for module in load("sparse", str(tiny_bert), context)] == [
        "Transformer",
        "SpladePooling",
    ]


def test_damaged_weights(tiny_bert: Path, copied: Callable[[Path], Path], context: Context) -> None:
    folder = copied(tiny_bert)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="can't be loaded as a SentenceTransformer"):
        load("dense", str(folder), context)


def test_damaged_configuration(tiny_bert: Path, copied: Callable[[Path], Path], context: Context) -> None:
    folder = copied(tiny_bert)
    (folder / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="JSON"):
        load("dense", str(folder), context)


def test_code_of_a_checkpoint_runs_only_if_it_is_named(
    tiny_dense: Path, copied: Callable[[Path], Path], context: Context
) -> None:
    folder = copied(tiny_dense)
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["type"] = "own.Mine"
    (folder / "modules.json").write_text(json.dumps(modules))
    code = "from sentence_transformers.sentence_transformer.modules import Pooling\nclass Mine(Pooling): pass\n"
    (folder / "own.py").write_text(code)
    with pytest.raises(CheckpointError, match=r"own\.Mine"):
        load("dense", str(folder), context)
    trusting = replace(context, trust_remote_code=frozenset({str(folder)}))
    assert type(load("dense", str(folder), trusting)[1]).__name__ == "Mine"


def test_without_the_library(tiny_bert: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtra, match=r"retrieval-harness\[nn\]"):
        load("dense", str(tiny_bert), context)


def test_what_is_not_adjusted_stays(tiny_dense: Path, context: Context) -> None:
    model = load("dense", str(tiny_dense), context)
    adjust(model)
    assert (model.max_seq_length, model.prompts, model[1].pooling_mode) == (
        64,
        {"query": "q: ", "document": ""},
        "mean",
    )


def test_what_is_adjusted(tiny_dense: Path, context: Context) -> None:
    model = load("dense", str(tiny_dense), context)
    adjust(model, max_length=5, pooling="cls", truncate_dim=4, query_prompt="", document_prompt="d: ")
    assert model.encode(["abcdefgh", "abczzzzz"]).shape == (2, 4)
    same, other = model.encode(["abcdefgh", "abczzzzz"]), model.encode(["abx"])
    assert same[0] == pytest.approx(same[1], abs=1e-6)  # [CLS] a ##b ##c [SEP] are 5 tokens
    assert other[0] != pytest.approx(same[0], abs=1e-3)
    assert model.prompts == {"query": "", "document": "d: "}
    first = model[0](model.preprocess(["abc"]))["token_embeddings"][0, 0]
    assert model.encode(["abc"])[0] == pytest.approx(first[:4].detach().numpy(), abs=1e-6)


def test_what_can_not_be_adjusted(tiny_dense: Path, tiny_bert: Path, context: Context) -> None:
    dense, sparse = load("dense", str(tiny_dense), context), load("sparse", str(tiny_bert), context)
    with pytest.raises(ConfigError, match="at most 64"):
        adjust(dense, max_length=65)
    with pytest.raises(ConfigError, match="at most the model's 16"):
        adjust(dense, truncate_dim=17)
    with pytest.raises(ConfigError, match="pooling"):
        adjust(sparse, pooling="mean")


def test_parameters_by_hand(tiny_dense: Path, context: Context) -> None:
    # Embeddings: (58 words + 64 positions + 2 types) · 16, and a layer norm 2 · 16.
    # A layer: 4 · (16 · 16 + 16) attention, 16 · 32 + 32 and 32 · 16 + 16 feed-forward, two layer norms.
    embeddings = (58 + 64 + 2) * 16 + 32
    layer = 4 * (16 * 16 + 16) + 16 * 32 + 32 + 32 * 16 + 16 + 2 * 32
    pooler = 16 * 16 + 16
    assert parameters(load("dense", str(tiny_dense), context)) == embeddings + 2 * layer + pooler


@pytest.mark.parametrize("place", ["0_Transformer", "2_Dense"])
def test_a_nested_pickle_is_never_opened(
    place: str, tiny_dense: Path, copied: Callable[[Path], Path], context: Context
):
    """Opening it would leave a folder behind."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    folder, mark = copied(tiny_dense), context.folder / "opened"
    model = SentenceTransformer(str(folder), device="cpu")
    model.append(Dense(16, 8))
    model.save_pretrained(str(folder), create_model_card=False)
    (weights,) = (folder / "2_Dense").glob("*.safetensors")
    if place == "2_Dense":
        weights.unlink()
    else:
        (folder / "model.safetensors").unlink()
    target = (weights.parent if place == "2_Dense" else folder) / "pytorch_model.bin"
    torch.save(_Opens(str(mark)), target)
    with pytest.raises(CheckpointError, match="is a pickle"):
        load("dense", str(folder), context)
    assert not mark.exists()
    torch.load(target, weights_only=False)
    assert mark.exists(), "the trap works"


class _Opens:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (self._path,)

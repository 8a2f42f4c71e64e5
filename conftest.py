"""Set-up of every test run: nothing reaches the network or the user's own files; real data is used where it is."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # how busy the machine is decides nothing
settings.load_profile("patient")
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parent


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a `$HARNESS_HOME` of its own."""
    folder = tmp_path / "harness-home"
    monkeypatch.setenv("HARNESS_HOME", str(folder))
    monkeypatch.setenv("MTEB_CACHE", str(tmp_path / "mteb-cache"))
    return folder


def _find(variable: str, *inside: str) -> Path | None:
    """The folder named by an environment variable, else the first of these beside the checkout or above it."""
    if named := os.environ.get(variable):
        return Path(named)
    return next(
        (path for parent in (ROOT, *ROOT.parents) for path in (parent.joinpath(*inside),) if path.is_dir()), None
    )


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real test collections (BEIR layout)."""
    folder = _find("HARNESS_TEST_DATA", "shared", "data")
    if folder is None:
        pytest.skip("real test collections are not here; set HARNESS_TEST_DATA to a folder of BEIR-layout collections")
    return folder


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of real checkpoints (minilm-l6, splade-tiny …)."""
    folder = _find("HARNESS_TEST_MODELS", ".cache", "models")
    if folder is None:
        pytest.skip("real checkpoints are not here; set HARNESS_TEST_MODELS to a folder of model folders")
    return folder


@pytest.fixture(scope="session")
def bare_encoder(models: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The 2-layer, 128-wide encoder of SPLADE-tiny without its head: a single-vector student with mean pooling."""
    from transformers import AutoModel, AutoTokenizer

    folder = tmp_path_factory.mktemp("bare-encoder")
    AutoModel.from_pretrained(models / "splade-tiny", add_pooling_layer=False).save_pretrained(folder)
    AutoTokenizer.from_pretrained(models / "splade-tiny").save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def small_splade(models: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """SPLADE-tiny with some 2,000 of its 30,522 terms, so that a sparse student learns in seconds."""
    import torch
    from transformers import AutoModelForMaskedLM, AutoTokenizer, BertTokenizer

    from harness.testing.topics import FORMS, TOPICS

    whole = AutoModelForMaskedLM.from_pretrained(models / "splade-tiny")
    tokenizer = AutoTokenizer.from_pretrained(models / "splade-tiny")
    world = tokenizer(" ".join((*TOPICS, *FORMS)))["input_ids"]
    kept = sorted({*tokenizer.all_special_ids, *range(999, 3000), *world})  # marks, letters, the most frequent words
    config = type(whole.config)(**{**whole.config.to_dict(), "vocab_size": len(kept)})
    part = type(whole)(config)
    rows = {name: value[kept] if len(value) == len(tokenizer) else value for name, value in whole.state_dict().items()}
    part.load_state_dict({name: torch.clone(value) for name, value in rows.items()})
    folder = tmp_path_factory.mktemp("small-splade")
    part.save_pretrained(folder)
    tokens = tokenizer.convert_ids_to_tokens(kept)
    BertTokenizer(vocab={token: place for place, token in enumerate(tokens)}, model_max_length=512).save_pretrained(
        folder
    )
    return str(folder)


@pytest.fixture(scope="session")
def smollm2(models: Path) -> Path:
    """A real causal language model."""
    if not (models / "smollm2").is_dir():
        pytest.skip(f"the checkpoint smollm2 is not in {models}")
    return models / "smollm2"

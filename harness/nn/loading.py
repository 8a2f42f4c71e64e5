"""A checkpoint's name → a sentence-transformers model: safetensors only, in fp32.

No layer is made up by chance, unless the model is to be trained: then the head that it lacks is drawn from the seed.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.contracts import Context
from harness.errors import CheckpointError, ConfigError, MissingExtra
from harness.nn.checkpoint import locate
from harness.nn.seeding import seed_everything

Family = Literal["dense", "sparse", "multi-vector", "cross-encoder"]
Pooling = Literal["checkpoint", "mean", "cls", "max", "lasttoken", "weightedmean"]


@dataclass(frozen=True, kw_only=True)
class _Shape:
    model: str
    """The class in sentence_transformers."""
    types: tuple[str, ...]
    """Model types that its checkpoints declare."""
    architectures: tuple[str, ...]
    """Endings of the transformers architectures that have every layer it needs."""


_SHAPES: dict[Family, _Shape] = {
    "dense": _Shape(model="SentenceTransformer", types=("SentenceTransformer",), architectures=("",)),
    "sparse": _Shape(model="SparseEncoder", types=("SparseEncoder",), architectures=("ForMaskedLM",)),
    "multi-vector": _Shape(
        model="MultiVectorEncoder",
        types=("MultiVectorEncoder", "ColBERT"),
        architectures=("HF_ColBERT", "ForRetrieval"),
    ),
    "cross-encoder": _Shape(
        model="CrossEncoder",
        types=("CrossEncoder",),
        architectures=("ForSequenceClassification",),
    ),
}


def load(family: Family, name: str, context: Context, *, new_head: bool = False, **options: Any) -> Any:
    """The model of this family that a checkpoint holds, on the context's device, in fp32, ready to encode.

    Args:
        family: which of the library's classes to make.
        name: hub id, folder or `pip:<distribution>`.
        context: device, seed, and the checkpoints whose own code may run.
        new_head: for a model that will be trained: take the encoder of a checkpoint of any family, with a mean
            pooling, projection or classifier on it that is drawn from the seed where the checkpoint has none.
        options: of the library's class.

    Raises:
        CheckpointError: it can't be found or loaded, or holds a model of another family, whose missing layers the
            library would fill with random weights.
        MissingExtra: sentence-transformers is not installed.
    """
    trusted = name in context.trust_remote_code
    folder = locate(name, code=trusted)
    shape = _SHAPES[family]
    if not new_head or family == "sparse":  # no head over the vocabulary can be learnt from nothing
        _check_family(name, Path(folder), shape)
    library = sentence_transformers()
    seed_everything(context.seed)
    try:
        model = getattr(library, shape.model)(
            folder,
            device=context.device,
            trust_remote_code=trusted,
            local_files_only=not trusted,
            model_kwargs={"use_safetensors": True},
            **options,
        )
    except Exception as error:  # whatever a foreign checkpoint makes the library raise
        reason = " ".join(str(error).split())
        raise CheckpointError(
            f"{name}: can't be loaded as a {shape.model}: {type(error).__name__}: {reason}"
        ) from error
    return model.float().eval()


def sentence_transformers() -> Any:
    """The library, imported (which takes seconds), with its progress bars for loading off.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import sentence_transformers as library
        from transformers.utils import logging
    except ImportError as error:
        raise MissingExtra(
            f"neural models need more packages ({error}): pip install 'retrieval-harness[nn]'"
        ) from error
    logging.disable_progress_bar()
    logging.set_verbosity_error()  # reports of layers that a checkpoint lacks: which may lack, `load` decides
    return library


def _check_family(name: str, folder: Path, shape: _Shape) -> None:
    declared = _read(folder / "config_sentence_transformers.json").get("model_type", "SentenceTransformer")
    if (folder / "modules.json").exists():
        fits = declared in shape.types
    else:
        architectures: list[str] = _read(folder / "config.json").get("architectures") or ["transformer"]
        declared = architectures[0]
        fits = declared.endswith(shape.architectures)
    if not fits:
        raise CheckpointError(
            f"{name} holds a {declared}; expected a {shape.model} checkpoint: the layers that it lacks would be random"
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CheckpointError(f"{path}: expected JSON, got {error}; fetch the checkpoint again") from error


def adjust(
    model: Any,
    *,
    max_length: int | None = None,
    pooling: Pooling = "checkpoint",
    truncate_dim: int | None = None,
    query_prompt: str = "checkpoint",
    document_prompt: str = "checkpoint",
) -> None:
    """Change what a checkpoint says of itself; `checkpoint` and None leave it as it is.

    Args:
        model: from `load`.
        max_length: tokens; what is longer is cut.
        pooling: how token vectors become one.
        truncate_dim: keep so many of a vector's dimensions, the first.
        query_prompt: put before each query.
        document_prompt: put before each document.

    Raises:
        ConfigError: the model has no such thing, or can't read texts that long.
    """
    if max_length is not None:
        _set_max_length(model, max_length)
    if pooling != "checkpoint":
        _set_pooling(model, pooling)
    if truncate_dim is not None:
        _set_truncate_dim(model, truncate_dim)
    for role, prompt in (("query", query_prompt), ("document", document_prompt)):
        if prompt != "checkpoint":
            model.prompts[role] = prompt


def _set_max_length(model: Any, tokens: int) -> None:
    if model.transformers_model is None:
        raise ConfigError("max_length: this model reads texts of any length; leave it out")
    limit: int | None = getattr(model.transformers_model.config, "max_position_embeddings", None)
    if limit is not None and tokens > limit:
        raise ConfigError(f"max_length: expected at most {limit} tokens for this model, got {tokens}")
    model.max_seq_length = tokens
    for tower in getattr(model[0], "sub_modules", {}).values():  # a Router's
        tower[0].max_seq_length = tokens
        if type(tower[0]).__name__ == "SparseStaticEmbedding":  # which cuts at its tokeniser's limit, not at that
            tower[0].tokenizer.model_max_length = tokens


def _set_pooling(model: Any, pooling: str) -> None:
    layers = [module for module in model if type(module).__name__ == "Pooling"]
    if len(layers) != 1 or not isinstance(layers[0].pooling_mode, str):
        raise ConfigError(f"pooling: expected a model with one pooling of one kind to change, got {len(layers)}")
    layers[0].pooling_mode = pooling


def _set_truncate_dim(model: Any, dim: int) -> None:
    has: int | None = model.get_embedding_dimension()
    if has is not None and dim > has:
        raise ConfigError(f"truncate_dim: expected at most the model's {has} dimensions, got {dim}")
    model.truncate_dim = dim


def parameters(model: Any) -> int:
    """How many numbers the model has learnt."""
    return sum(parameter.numel() for parameter in model.parameters())

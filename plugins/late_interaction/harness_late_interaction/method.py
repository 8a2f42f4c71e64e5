"""A MultiVectorEncoder over the vectors of all tokens."""

from functools import partial
from typing import Any

from harness.contracts import Context
from harness.errors import ConfigError
from harness.index.multivector import MultiVectorIndex
from harness.nn.encoders import MultiVectorEncoder
from harness.nn.loading import adjust, load
from harness.nn.retriever import EmbeddingRetriever, on_devices
from harness_late_interaction import Config


def build(config: Config, context: Context) -> EmbeddingRetriever:
    """The retriever, with its model loaded.

    Raises:
        ConfigError: a length that the model can't be given.
    """
    return on_devices(partial(_encoder, config), MultiVectorIndex, context)


def _encoder(config: Config, context: Context) -> MultiVectorEncoder:
    model = _untrained(config.model, context) if config.untrained else load("multi-vector", config.model, context)
    adjust(model, query_prompt=config.query_prompt, document_prompt=config.document_prompt)
    for name in ("query_length", "document_length"):
        if (tokens := getattr(config, name)) is not None:
            _set_length(model[0], name, tokens)
    return MultiVectorEncoder(model, context.mode)


def _untrained(name: str, context: Context) -> Any:
    """Unit vectors of the tokens of a dense checkpoint."""
    dense = load("dense", name, context)
    from sentence_transformers import MultiVectorEncoder as Model
    from sentence_transformers.base.modules import Normalize
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    modules = [dense[0], MultiVectorMask(), Normalize(module_input_name="token_embeddings")]
    return Model(modules=modules, prompts=dense.prompts, device=context.device)


def _set_length(transformer: Any, name: str, tokens: int) -> None:
    limit = transformer.max_seq_length
    if limit is not None and tokens > limit:
        raise ConfigError(f"{name}: expected at most {limit} tokens for this model, got {tokens}")
    setattr(transformer, name, tokens)

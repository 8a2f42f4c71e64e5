"""A StaticEmbedding over an exact index."""

from functools import partial

from harness.contracts import Context
from harness.errors import CheckpointError
from harness.index.dense import DenseIndex
from harness.nn.encoders import DenseEncoder
from harness.nn.loading import adjust, load
from harness.nn.retriever import EmbeddingRetriever, on_devices
from harness_static import Config


def build(config: Config, context: Context) -> EmbeddingRetriever:
    """The retriever, with its table loaded.

    Raises:
        CheckpointError: the checkpoint is no table of vectors.
    """
    return on_devices(partial(_encoder, config), DenseIndex.on(*context.all_devices), context)


def _encoder(config: Config, context: Context) -> DenseEncoder:
    model = load("dense", config.model, context)
    kind = type(model[0]).__name__
    if kind != "StaticEmbedding":
        raise CheckpointError(f"{config.model} begins with a {kind}; expected a StaticEmbedding: use --plugin dense")
    adjust(model, truncate_dim=config.truncate_dim)
    return DenseEncoder(model, config.similarity, context.mode)

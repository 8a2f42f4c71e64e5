"""A StaticEmbedding over an exact index."""

from harness.contracts import Context
from harness.errors import CheckpointError
from harness.index.dense import DenseIndex
from harness.nn.encoders import DenseEncoder
from harness.nn.loading import adjust, load
from harness.nn.retriever import EmbeddingRetriever
from harness_static import Config


def build(config: Config, context: Context) -> EmbeddingRetriever:
    """The retriever, with its table loaded.

    Raises:
        CheckpointError: the checkpoint is no table of vectors.
    """
    model = load("dense", config.model, context)
    kind = type(model[0]).__name__
    if kind != "StaticEmbedding":
        raise CheckpointError(f"{config.model} begins with a {kind}; expected a StaticEmbedding: use --plugin dense")
    adjust(model, truncate_dim=config.truncate_dim)
    encoder = DenseEncoder(model, config.similarity, context.mode)
    return EmbeddingRetriever(encoder, DenseIndex.on(context.device), context.folder, context.lasting)

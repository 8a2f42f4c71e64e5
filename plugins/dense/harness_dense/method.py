"""A SentenceTransformer over an exact index."""

from functools import partial

from harness.contracts import Context
from harness.index.dense import DenseIndex
from harness.nn.encoders import DenseEncoder
from harness.nn.loading import adjust, load
from harness.nn.retriever import EmbeddingRetriever, on_devices
from harness_dense import Config


def build(config: Config, context: Context) -> EmbeddingRetriever:
    """The retriever, with its model loaded."""
    return on_devices(partial(_encoder, config), DenseIndex.on(*context.all_devices), context)


def _encoder(config: Config, context: Context) -> DenseEncoder:
    model = load("dense", config.model, context)
    adjust(
        model,
        max_length=config.max_length,
        pooling=config.pooling,
        truncate_dim=config.truncate_dim,
        query_prompt=config.query_prompt,
        document_prompt=config.document_prompt,
    )
    return DenseEncoder(model, config.similarity, context.mode)

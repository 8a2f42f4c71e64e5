"""A SentenceTransformer over an exact index."""

from harness.contracts import Context
from harness.index.dense import DenseIndex
from harness.nn.encoders import DenseEncoder
from harness.nn.loading import adjust, load
from harness.nn.retriever import EmbeddingRetriever
from harness_dense import Config


def build(config: Config, context: Context) -> EmbeddingRetriever:
    """The retriever, with its model loaded."""
    model = load("dense", config.model, context)
    adjust(
        model,
        max_length=config.max_length,
        pooling=config.pooling,
        truncate_dim=config.truncate_dim,
        query_prompt=config.query_prompt,
        document_prompt=config.document_prompt,
    )
    encoder = DenseEncoder(model, config.similarity, context.mode)
    return EmbeddingRetriever(encoder, DenseIndex.on(context.device), context.folder, context.lasting)

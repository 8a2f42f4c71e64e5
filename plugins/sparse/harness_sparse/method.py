"""A SparseEncoder over posting lists."""

from harness.contracts import Context
from harness.index.inverted import InvertedIndex
from harness.index.seismic import SeismicIndex
from harness.nn.encoders import SparseEncoder
from harness.nn.loading import adjust, load
from harness.nn.retriever import EmbeddingRetriever
from harness_sparse import Config

INDEXES = {"exact": InvertedIndex, "seismic": SeismicIndex}


def build(config: Config, context: Context) -> EmbeddingRetriever:
    """The retriever, with its model loaded."""
    model = load("sparse", config.model, context)
    adjust(
        model,
        max_length=config.max_length,
        query_prompt=config.query_prompt,
        document_prompt=config.document_prompt,
    )
    encoder = SparseEncoder(model, config.max_active_terms, context.mode)
    return EmbeddingRetriever(encoder, INDEXES[config.index], context.folder, context.lasting)

"""A SparseEncoder over posting lists."""

from functools import partial

from harness.contracts import Context
from harness.index.inverted import InvertedIndex
from harness.index.seismic import SeismicIndex
from harness.nn.encoders import SparseEncoder
from harness.nn.loading import adjust, load
from harness.nn.retriever import EmbeddingRetriever, on_devices
from harness_sparse import Config

INDEXES = {"exact": InvertedIndex, "seismic": SeismicIndex}


def build(config: Config, context: Context) -> EmbeddingRetriever:
    """The retriever, with its model loaded."""
    return on_devices(partial(_encoder, config), INDEXES[config.index], context)


def _encoder(config: Config, context: Context) -> SparseEncoder:
    model = load("sparse", config.model, context)
    adjust(
        model,
        max_length=config.max_length,
        query_prompt=config.query_prompt,
        document_prompt=config.document_prompt,
    )
    return SparseEncoder(model, config.max_active_terms, context.mode)

"""Two encoders in one model: one reads queries, the other documents."""

from typing import Any

from harness.nn.loading import sentence_transformers


def routed(queries: Any, documents: Any) -> Any:
    """One SentenceTransformer of two, whose modules become its towers; what it says of itself is the first one's."""
    library = sentence_transformers()
    from sentence_transformers.base.modules import Router

    return library.SentenceTransformer(
        modules=[Router.for_query_document(list(queries), list(documents))],
        device=str(queries.device),
        prompts=queries.prompts,
        similarity_fn_name=queries.similarity_fn_name,
        truncate_dim=queries.truncate_dim,
    ).eval()

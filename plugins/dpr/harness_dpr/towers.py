"""A student of two encoders, one for queries and one for documents, which start as copies of one checkpoint."""

import copy
from typing import Any

from harness.contracts import Context
from harness.nn.loading import sentence_transformers
from harness.nn.students import DenseStudent


class TwoTowers(DenseStudent):
    """Queries and documents are embedded by models that share nothing; saved as one ordinary SentenceTransformer."""

    def __init__(self, checkpoint: str, context: Context, max_length: int) -> None:
        """See `Student`; a checkpoint that has two towers already keeps them."""
        super().__init__(checkpoint, context, max_length)
        if not self.routing("query"):
            self.model = doubled(self.model)


def doubled(model: Any) -> Any:
    """The same SentenceTransformer with one tower for queries and an equal one for documents."""
    library = sentence_transformers()
    from sentence_transformers.base.modules import Router

    towers = Router.for_query_document(list(model), list(copy.deepcopy(model)))
    return library.SentenceTransformer(
        modules=[towers],
        device=str(model.device),
        prompts=model.prompts,
        similarity_fn_name=model.similarity_fn_name,
        truncate_dim=model.truncate_dim,
    ).eval()

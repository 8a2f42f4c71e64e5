"""A student of two encoders, one for queries and one for documents, which start as copies of one checkpoint."""

import copy

from harness.contracts import Context
from harness.nn.students import DenseStudent
from harness.nn.students.towers import routed


class TwoTowers(DenseStudent):
    """Queries and documents are embedded by models that share nothing; saved as one ordinary SentenceTransformer."""

    def __init__(self, checkpoint: str, context: Context, max_length: int) -> None:
        """See `Student`; a checkpoint that has two towers already keeps them."""
        super().__init__(checkpoint, context, max_length)
        if not self.routing("query"):
            self.model = routed(self.model, copy.deepcopy(self.model))

"""A query encoder that goes on learning beside a document encoder that has stopped."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from harness.contracts import Role
from harness.nn.encoders import DenseEncoder
from harness.nn.students.dense import DenseStudent
from harness.nn.students.towers import routed

DOCUMENTS = "0.sub_modules.document."
"""What the names of the stopped encoder's parameters start with."""


class Towers(DenseStudent):
    """The query tower is another student's model itself; the document tower is its copy once `stop` was called."""

    def __init__(self, learner: DenseStudent, checkpoint: str, max_length: int, *, learns: bool) -> None:
        """Load the checkpoint that the learner was loaded from a second time.

        Args:
            learner: the student whose model encodes queries.
            checkpoint: of it.
            max_length: tokens; longer texts are cut.
            learns: whether it goes on learning.
        """
        super().__init__(checkpoint, learner.context, max_length)
        self._learns = learns
        self.model = routed(learner.model, self.model)
        self._places: dict[str, int] = {}
        self._vectors = torch.empty(0)

    def stop(self) -> None:
        """From now on documents are encoded as the query tower encodes now, whatever that becomes."""
        query, document = (self.model[0].sub_modules[role] for role in ("query", "document"))
        document.load_state_dict(query.state_dict())

    def encoded(self, texts: Sequence[str], role: Role) -> Any:
        """The vectors as the retriever makes them, without gradients."""
        return DenseEncoder(self.model)(texts, role)

    def keep(self, texts: Sequence[str]) -> None:
        """Encode these documents once, for all batches."""
        distinct = list(dict.fromkeys(texts))
        self._places = {text: place for place, text in enumerate(distinct)}
        self._vectors = torch.as_tensor(self.encoded(distinct, "document"), device=self.device)

    def embed(self, texts: Sequence[str], role: Role) -> Tensor:
        """Queries with gradients, if their encoder learns; documents as they were kept."""
        if role == "query":
            encoded = super().embed(texts, role) if self._learns else torch.as_tensor(self.encoded(texts, role))
            return encoded.to(self.device)
        return self._vectors[[self._places[text] for text in texts]]

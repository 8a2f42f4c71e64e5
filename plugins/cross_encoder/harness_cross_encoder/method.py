"""A sentence-transformers CrossEncoder as a teacher."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from torch.nn import Identity

from harness.config import digest
from harness.contracts import Context
from harness.errors import CheckpointError
from harness.nn import loading
from harness.nn.checkpoint import identity
from harness.records import Document, Query
from harness_cross_encoder import Config


class CrossEncoderTeacher:
    """A `harness.contracts.Scorer`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Load the checkpoint.

        Raises:
            CheckpointError: if it is no cross-encoder, or has more than one output.
        """
        self._config = config
        self._model = loading.load("cross-encoder", config.model, context)
        loading.adjust(self._model, max_length=config.max_length)
        if (outputs := self._model.num_labels) != 1:
            raise CheckpointError(f"{config.model}: expected one output, the relevance, got {outputs}; take another")

    @property
    def identity(self) -> str:
        """Digest of weights, maximum length, activation and precision."""
        weights = identity(self._config.model)
        return digest(["cross-encoder", weights, self._config.max_length, "Identity", "float32"])

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        """The output of each pair; the library makes batches of like length."""
        texts = [(query.text, document.content) for query, document in pairs]
        options = {"batch_size": self._config.batch, "activation_fn": Identity(), "show_progress_bar": False}
        return np.asarray(self._model.predict(texts, **options), np.float32)

"""A sentence-transformers CrossEncoder as a teacher, and what its layers think on the way."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from harness.config import digest
from harness.contracts import Context
from harness.errors import CheckpointError
from harness.nn import loading
from harness.nn.bfloat16 import autocast
from harness.nn.checkpoint import identity
from harness.nn.exact import keep_output_exact
from harness.records import Document, Query
from harness_cross_encoder import Config

Layers = tuple[Float[Tensor, "batch layers dim"], Float[Tensor, "batch layers"]]


class CrossEncoderTeacher:
    """A `harness.contracts.Scorer` and `Featurer`."""

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
        if config.precision == "bfloat16":
            keep_output_exact(self._model)
        settings = [identity(config.model), config.max_length, "Identity", config.precision]
        self._identity = digest(["cross-encoder", *settings])

    @property
    def identity(self) -> str:
        """Digest of weights, maximum length, activation and precision."""
        return self._identity

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> Float32[np.ndarray, " pairs"]:
        """The output of each pair; the library makes batches of like length."""
        options = {"batch_size": self._config.batch, "activation_fn": nn.Identity(), "show_progress_bar": False}
        with self._autocast():
            return np.asarray(self._model.predict(_texts(pairs), **options), np.float32)

    def features(self, pairs: Sequence[tuple[Query, Document]]) -> dict[str, np.ndarray]:
        """States and scores after each layer of the transformer, the embedding layer left out.

        Returns:
            `cls`: [pairs, layers, dim], the state of the first token, float32.
            `layer_scores`: [pairs, layers], what the model's head makes of it, float32; the last is `score`.

        Raises:
            CheckpointError: a model without BERT's head, a pooler of the last states and a linear classifier.
        """
        shape = self._head_shape()
        cls, scores = np.empty((len(pairs), *shape), np.float32), np.empty((len(pairs), shape[0]), np.float32)
        texts = _texts(pairs)
        longest_first = np.argsort([-len(query) - len(document) for query, document in texts], kind="stable")
        for start in range(0, len(texts), self._config.batch):
            places = longest_first[start : start + self._config.batch]
            states, heads = self._layers([texts[place] for place in places])
            cls[places], scores[places] = states.float().cpu().numpy(), heads.float().cpu().numpy()
        return {"cls": cls, "layer_scores": scores}

    def _head_shape(self) -> tuple[int, int]:
        """Layers and dimensions, of a model that has BERT's head."""
        model: Any = self._model.transformers_model
        pooler, classifier = getattr(model.base_model, "pooler", None), getattr(model, "classifier", None)
        if len(self._model) != 1 or pooler is None or not isinstance(classifier, nn.Linear):
            raise CheckpointError(
                f"{self._config.model}: features are of models with a pooler and a linear classifier, as "
                f"BertForSequenceClassification; this {type(model).__name__} gives scores only"
            )
        return model.config.num_hidden_layers, model.config.hidden_size

    @torch.inference_mode()
    def _layers(self, texts: list[tuple[str, str]]) -> Layers:
        model: Any = self._model.transformers_model
        read = self._model.preprocess(texts)
        tensors = {name: value.to(model.device) for name, value in read.items() if isinstance(value, Tensor)}
        with self._autocast():
            output = model(**tensors, output_hidden_states=True)
            states = [layer[:, :1] for layer in output.hidden_states[1:]]  # the pooler reads the first token only
            scores = torch.cat([model.classifier(model.base_model.pooler(state)) for state in states], dim=1)
        if not torch.allclose(scores[:, -1:].float(), output.logits.float(), rtol=1e-3, atol=1e-3):
            raise CheckpointError(f"{self._config.model}: its score is more than its head makes of its last layer")
        return torch.cat(states, dim=1), scores

    def _autocast(self) -> AbstractContextManager[None]:
        return autocast(self._model.device.type, self._config.precision == "bfloat16")


def _texts(pairs: Sequence[tuple[Query, Document]]) -> list[tuple[str, str]]:
    return [(query.text, document.content) for query, document in pairs]

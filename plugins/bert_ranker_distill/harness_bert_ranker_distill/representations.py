"""What of a student's states is compared with a teacher's features."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from harness.errors import SignalError
from harness.nn.view import View
from harness_bert_ranker_distill import Config
from harness_bert_ranker_distill.alignment import attention_loss, embedding_loss, hidden_loss, layer_map, projection
from harness_bert_ranker_distill.student import States, WatchedStudent

NAMES = {"cls": "hidden_weight", "attention": "attention_weight", "embeddings": "embedding_weight"}
"""Features that are aligned, and the knob of each."""


class Representations:
    """A loss over the states of the pairs scored last, with the projections that it needs."""

    def __init__(self, config: Config, student: WatchedStudent, features: Mapping[str, np.ndarray]) -> None:
        """Take the features that have a weight.

        Args:
            config: the weights.
            student: whose states they are compared with.
            features: `cls` [queries, docs, layers, width] and perhaps `attention` [queries, docs, layers, heads,
                tokens, tokens] and `embeddings` [queries, docs, tokens, width].
        """
        self._config, self._student = config, student
        wanted = [name for name, weight in NAMES.items() if name in features and getattr(config, weight)]
        self._features = {name: features[name] for name in wanted}
        self.names = tuple(wanted)
        student.attends = "attention" in self._features
        width = student.model.transformers_model.config.hidden_size
        made = {name: projection(width, its.shape[-1]) for name, its in self._features.items() if name != "attention"}
        self.projections = nn.ModuleDict(made).to(student.device)

    def loss(self, view: View) -> Tensor:
        """The weighted sum of the alignment losses of the pairs that were just scored."""
        total = self._student.states.cls.sum() * 0.0
        for name, its in self._features.items():
            given = torch.as_tensor(its[list(view.positions)], device=self._student.device).flatten(0, 1)
            total = total + getattr(self._config, NAMES[name]) * self._term(name, self._student.states, given)
        return total

    def _term(self, name: str, states: States, given: Tensor) -> Tensor:
        if name == "cls":
            layers = layer_map(states.cls.shape[1], given.shape[1])
            return hidden_loss(states.cls, given, self.projections["cls"], layers)
        if name == "embeddings":
            size = min(states.mask.shape[1], given.shape[1])
            own, mask = states.embeddings[:, :size], states.mask[:, :size]
            return embedding_loss(own, given[:, :size], self.projections["embeddings"], mask)
        if states.attention.shape[2] != given.shape[2]:
            heads = f"{given.shape[2]} attention heads, the student has {states.attention.shape[2]}"
            raise SignalError(f"the teacher has {heads}; expected as many: take another, or attention_weight=0")
        size = min(states.mask.shape[1], given.shape[-1])
        own, given = states.attention[..., :size, :size], given[..., :size, :size]
        return attention_loss(own, given, states.mask[:, :size], layer_map(own.shape[1], given.shape[1]))

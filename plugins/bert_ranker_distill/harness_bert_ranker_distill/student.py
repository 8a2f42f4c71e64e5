"""A cross-encoder student that keeps, in one pass, what its layers make of the pairs that it scored last."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from harness.errors import CheckpointError
from harness.nn.students import PairStudent
from harness.nn.students.pair import Pair


class States(NamedTuple):
    """With gradients; padded to the longest pair."""

    cls: Float[Tensor, "pairs layers dim"]
    """Of the first token after each layer."""
    embeddings: Float[Tensor, "pairs tokens dim"]
    """What goes into the first layer."""
    attention: Float[Tensor, "pairs layers heads tokens tokens"]
    """Logits before the softmax; without layers unless they are kept."""
    mask: Bool[Tensor, "pairs tokens"]
    """Which tokens are no padding."""


class WatchedStudent(PairStudent):
    """A `PairStudent` with `states`, of the pairs scored last."""

    states: States
    attends = False
    """Whether attention is kept."""

    def score(self, pairs: Sequence[Pair]) -> Float[Tensor, " pairs"]:
        """The relevance of each pair; the states are kept."""
        self._parts: list[tuple[Sequence[Pair], States]] = []
        scores = super().score(pairs)
        places = {pair: place for place, pair in enumerate(pair for part, _ in self._parts for pair in part)}
        order = torch.tensor([places[pair] for pair in pairs], device=scores.device)
        self.states = _joined([states for _, states in self._parts], order)
        return scores

    def forward(self, pairs: Sequence[Pair]) -> Float[Tensor, " pairs"]:
        """The relevance of one batch."""
        features, config = self.features(pairs), self.model.transformers_model.config
        before, config.output_hidden_states = config.output_hidden_states, True
        read: list[Tensor] = []
        hooks = [part.register_forward_hook(lambda m, i, output: read.append(output)) for part in self._attention()]
        try:
            found = self.model(features)
        finally:
            config.output_hidden_states = before  # it would be saved with the model
            for hook in hooks:
                hook.remove()
        hidden: Sequence[Tensor] = found["all_layer_embeddings"]
        cls = torch.stack([state[:, 0] for state in hidden[1:]], dim=1)
        attention = _logits(read, config.num_attention_heads) if read else cls.new_zeros(len(pairs), 0, 0, 0, 0)
        self._parts.append((pairs, States(cls, hidden[0], attention, features["attention_mask"].bool())))
        return found["scores"].view(-1)

    def _attention(self) -> list[Any]:
        """What makes queries and keys of tokens, layer by layer; nothing unless attention is kept."""
        if not self.attends:
            return []
        model: Any = self.model.transformers_model.base_model
        try:
            layers = [layer.attention.self for layer in model.encoder.layer]
            return [part for layer in layers for part in (layer.query, layer.key)]
        except AttributeError as error:
            raise CheckpointError(
                f"attention of a {type(model).__name__} can't be read, of a BertModel it can: take another student, or "
                "attention_weight=0"
            ) from error


def _logits(read: Sequence[Tensor], heads: int) -> Float[Tensor, "pairs layers heads tokens tokens"]:
    """Of queries and keys in turn: their products over the root of a head's width."""
    parted = [part.view(*part.shape[:2], heads, -1).transpose(1, 2) for part in read]
    products = [
        query @ key.transpose(2, 3) / query.shape[3] ** 0.5
        for query, key in zip(parted[::2], parted[1::2], strict=True)
    ]
    return torch.stack(products, dim=1)


def _joined(parts: Sequence[States], order: Tensor) -> States:
    """The pairs of all batches in this order."""
    longest = max(part.mask.shape[1] for part in parts)
    more = [longest - part.mask.shape[1] for part in parts]
    padded = [
        States(
            cls=part.cls,
            embeddings=functional.pad(part.embeddings, (0, 0, 0, room)),
            attention=functional.pad(part.attention, (0, room, 0, room)) if part.attention.numel() else part.attention,
            mask=functional.pad(part.mask, (0, room)),
        )
        for part, room in zip(parts, more, strict=True)
    ]
    return States(*(torch.cat(own)[order] for own in zip(*padded, strict=True)))

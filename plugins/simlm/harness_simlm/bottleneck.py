"""An encoder and a shallow decoder that share one vector and one head over the vocabulary."""

import copy
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers.masking_utils import create_bidirectional_mask

from harness.errors import CheckpointError, ConfigError
from harness.nn.students import Student
from harness.nn.students.vocabulary import vocabulary_head
from harness_simlm.corruption import POSITIONS, Passages


class Bottleneck(nn.Module):
    """What is pre-trained: the student, and what is dropped afterwards.

    Source: Wang et al., 2023 (arXiv:2207.02578), section 3.1.
    """

    def __init__(self, student: Student, layers: int, language_model: Any = None) -> None:
        """Copy the decoder from the student.

        Args:
            student: its transformer and pooling are the encoder.
            layers: of the decoder.
            language_model: a transformers model whose head is copied; without one, the head is drawn from the seed.

        Raises:
            CheckpointError: the student is no transformer of BERT's form with a pooling.
            ConfigError: it has fewer layers than the decoder shall have.
        """
        super().__init__()
        self.encoder = student.model
        stack: Any = getattr(self.backbone, "encoder", None)
        if not hasattr(stack, "layer") or type(student.model[1]).__name__ != "Pooling":
            raise CheckpointError(
                "expected a student of BERT's form (encoder.layer) with a pooling after it, got "
                f"{type(self.backbone).__name__}; take another, or leave pre-training out: shares=0,0.3,0.3,0.4"
            )
        if len(stack.layer) < layers:
            raise ConfigError(f"decoder_layers: expected at most the student's {len(stack.layer)} layers, got {layers}")
        self.decoder: Any = copy.deepcopy(stack)
        self.decoder.layer = self.decoder.layer[-layers:]
        self.transform, self.bias = _head(self.backbone, language_model, student.context.seed)

    @property
    def backbone(self) -> Any:
        """The transformers model."""
        return self.encoder.transformers_model

    def encode(self, passages: Passages) -> tuple[Float[Tensor, "texts tokens dim"], Float[Tensor, "texts dim"]]:
        """The encoder's token vectors, and the one vector that passes the bottleneck."""
        found = self.encoder[0]({"input_ids": passages.encoder, "attention_mask": passages.attention})
        return found["token_embeddings"], self.encoder[1](found)["sentence_embedding"]

    def decode(self, vectors: Float[Tensor, "texts dim"], passages: Passages) -> Float[Tensor, "texts tokens dim"]:
        """The decoder's token vectors: it sees the one vector in the first token's place, and the other tokens."""
        embedded = self.backbone.embeddings(input_ids=passages.decoder)
        seen = torch.cat([vectors.unsqueeze(1).to(embedded.dtype), embedded[:, 1:]], dim=1)
        mask: Any = create_bidirectional_mask(
            config=self.backbone.config, inputs_embeds=seen, attention_mask=passages.attention
        )
        return self.decoder(seen, attention_mask=mask)[0]

    def restore(self, hidden: Float[Tensor, "texts tokens dim"], passages: Passages) -> Float[Tensor, ""]:
        """Mean cross-entropy of the original tokens, over all but special ones, replaced or not."""
        states, labels = self.transform(hidden[passages.predicted]), passages.tokens[passages.predicted]
        parts = zip(states.split(POSITIONS), labels.split(POSITIONS), strict=True)
        # Logits over the vocabulary are large: computed again for the gradient, not kept.
        sums = [checkpoint(self._cross_entropy, *part, use_reentrant=False) for part in parts]
        return torch.stack(sums).sum() / max(1, len(labels))

    def forward(self, passages: Passages) -> Float[Tensor, ""]:
        """The loss of encoder and decoder together."""
        hidden, vectors = self.encode(passages)
        return self.restore(hidden, passages) + self.restore(self.decode(vectors, passages), passages)

    def _cross_entropy(self, states: Float[Tensor, "places dim"], labels: Int[Tensor, " places"]) -> Float[Tensor, ""]:
        words: Tensor = self.backbone.get_input_embeddings().weight
        return functional.cross_entropy(functional.linear(states, words, self.bias), labels, reduction="sum")


def _head(backbone: Any, language_model: Any, seed: int) -> tuple[nn.Module, nn.Parameter]:
    """The transform before the word embeddings, to which the head is tied, and the bias after them."""
    transform, decoder = (None if language_model is None else vocabulary_head(language_model)) or (None, None)
    if isinstance(transform, nn.Module) and decoder is not None:
        return copy.deepcopy(transform).requires_grad_(True), nn.Parameter(decoder.bias.detach().clone())
    words: Tensor = backbone.get_input_embeddings().weight
    vocabulary, width = words.shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        dense = nn.Linear(backbone.config.hidden_size, width)
    made = nn.Sequential(dense, nn.GELU(), nn.LayerNorm(width)).to(words.device)
    return made, nn.Parameter(words.new_zeros(vocabulary))

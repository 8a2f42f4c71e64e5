"""A sparse student: weighted terms of a vocabulary (SPLADE)."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from harness.contracts import Role
from harness.errors import CheckpointError
from harness.index.inverted import InvertedIndex
from harness.nn.encoders import SparseEncoder
from harness.nn.retriever import Encoder, Index
from harness.nn.students.pooled import max_logits
from harness.nn.students.student import Student
from harness.nn.students.vocabulary import vocabulary_head


class SparseStudent(Student):
    """A weight a term, the score is the dot product.

    In training the logits of all tokens are never held at once: the largest of each term is found part by part, and
    only its token gets the gradient, as max pooling has it. What is saved is an ordinary SparseEncoder.
    """

    family = "sparse"

    def __init__(self, *args: Any, **options: Any) -> None:
        """See `Student`.

        Raises:
            CheckpointError: if it isn't a masked language model with max pooling.
        """
        super().__init__(*args, **options)
        pooling = self.pooling
        self.head = vocabulary_head(self.language_model)
        self.twice = getattr(pooling, "activation_function", "") == "log1p_relu"
        if getattr(pooling, "pooling_strategy", "") != "max" or self.head is None:
            raise CheckpointError(
                "expected a masked language model whose terms are pooled by their maximum, got "
                f"{type(pooling).__name__} over {type(self.language_model).__name__}; take another student"
            )

    @property
    def pooling(self) -> Any:
        """The module that makes a weight a term of a logit a token and term."""
        return self.model[-1]

    @property
    def language_model(self) -> Any:
        """The transformers model."""
        return self.model.transformers_model

    def forward(self, texts: Sequence[str], role: Role) -> Float[Tensor, "texts vocab"]:
        """Max over tokens of log(1 + relu(logit)), for each term.

        Source: Formal et al., 2021 (arXiv:2109.10086), equations 1 and 6.
        """
        features = self.features(texts, role)
        read = {name: features[name] for name in ("input_ids", "attention_mask", "token_type_ids") if name in features}
        hidden: Tensor = self.language_model.base_model(**read).last_hidden_state
        assert self.head is not None, "checked when it was made"
        transform, decoder = self.head
        logits = max_logits(transform(hidden), decoder.weight, decoder.bias, features["attention_mask"].bool())
        weights = torch.log1p(torch.relu(logits))
        return torch.log1p(weights) if self.twice else weights

    def searched(self) -> tuple[Callable[..., Encoder], type[Index]]:
        """Exact search in posting lists."""
        return SparseEncoder, InvertedIndex

"""The head of a masked language model: what stands between its hidden states and the logits of the vocabulary."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

Transform = Callable[[Tensor], Tensor]


def vocabulary_head(model: Any) -> tuple[Transform, nn.Linear] | None:
    """The transform of a hidden state and the decoder over the vocabulary; None if there is none that we know.

    Args:
        model: a transformers model; BERT's, DistilBERT's and RoBERTa's forms are known.
    """
    if (predictions := getattr(getattr(model, "cls", None), "predictions", None)) is not None:
        return predictions.transform, predictions.decoder
    if (projector := getattr(model, "vocab_projector", None)) is not None:

        def transform(hidden: Tensor) -> Tensor:
            return model.vocab_layer_norm(model.activation(model.vocab_transform(hidden)))

        return transform, projector
    if (head := getattr(model, "lm_head", None)) is not None and hasattr(head, "decoder"):

        def dense(hidden: Tensor) -> Tensor:
            return head.layer_norm(nn.functional.gelu(head.dense(hidden)))

        return dense, head.decoder
    return None

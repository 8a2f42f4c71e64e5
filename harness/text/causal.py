"""A causal language model on this machine; `likelihood` and `generation` say what it can be asked."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers.utils import logging

from harness.errors import CheckpointError, DataError
from harness.text.settings import Precision

Ids = list[int]


class CausalLM:
    """Any transformers causal language model with its tokeniser."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """Wrap a model; what its checkpoint says of sampling is dropped, so that only the caller decides.

        Args:
            model: what `AutoModelForCausalLM` loads, on its device.
            tokenizer: what `AutoTokenizer` loads.

        Raises:
            CheckpointError: if the tokeniser has no token that starts or ends a text.
        """
        marks = [mark for mark in (tokenizer.bos_token_id, tokenizer.eos_token_id) if mark is not None]
        if not marks:
            raise CheckpointError("expected a tokeniser with a start or end token, got one with neither; take another")
        self.model, self.tokenizer = model.eval(), tokenizer
        self.start: int = marks[0]
        """Stands before a text that has no token of its own before it."""
        self.padding: int = marks[-1]
        """Fills batches up; never looked at."""
        ends = model.generation_config.eos_token_id
        model.generation_config = GenerationConfig(
            bos_token_id=self.start, eos_token_id=marks[-1] if ends is None else ends, pad_token_id=self.padding
        )

    @property
    def context(self) -> int:
        """The most tokens that it reads at once."""
        return int(getattr(self.model.config, "max_position_embeddings", None) or self.tokenizer.model_max_length)

    @property
    def vocabulary(self) -> int:
        """How many tokens it knows."""
        return self.model.config.get_text_config().vocab_size

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Tokens of texts that follow something."""
        return self._encode(texts, marks=False)

    def encode_first(self, texts: Sequence[str]) -> list[Ids]:
        """Tokens of texts that come first, with the tokeniser's own marks; at least one."""
        return [ids or [self.start] for ids in self._encode(texts, marks=True)]

    def _encode(self, texts: Sequence[str], marks: bool) -> list[Ids]:
        if not texts:
            return []
        return self.tokenizer(list(texts), add_special_tokens=marks, verbose=False)["input_ids"]

    def cut(self, text: str, tokens: int) -> str:
        """The text up to the end of its token number `tokens`, maybe inside a word; all of it if it has no more.

        Tokenised again, what is cut may have a few tokens more.
        """
        encoded = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        offsets: list[tuple[int, int]] = encoded["offset_mapping"]
        return text if len(offsets) <= tokens else text[: offsets[tokens - 1][1]]

    def check_fits(self, tokens: int) -> None:
        """Refuse more tokens than the model reads.

        Raises:
            DataError: saying both numbers.
        """
        if tokens > self.context:
            raise DataError(
                f"expected at most {self.context} tokens, the model's limit, got {tokens}; shorten the text"
            )


def load_causal_lm(
    path: str, *, device: str = "cpu", trust_remote_code: bool = False, precision: Precision = "float32"
) -> CausalLM:
    """Load a model and its tokeniser from a folder or the hub; weights from safetensors only.

    Args:
        path: a folder or hub id.
        device: a torch device name.
        trust_remote_code: whether code that ships with the checkpoint may run.
        precision: the numbers it computes with, whatever the checkpoint holds.

    Raises:
        CheckpointError: if it can't be loaded.
    """
    logging.disable_progress_bar()
    options: dict[str, Any] = {"trust_remote_code": trust_remote_code}
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, **options)
        options |= {"dtype": getattr(torch, precision), "use_safetensors": True}
        model: Any = AutoModelForCausalLM.from_pretrained(path, **options)
    except Exception as error:  # whatever a foreign checkpoint makes the library raise
        reason = " ".join(str(error).split())
        raise CheckpointError(f"{path}: expected a causal language model in safetensors, got: {reason}") from error
    return CausalLM(model.to(device), tokenizer)

"""The pre-training stage: batches of corrupted passages of the corpus."""

from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.contracts import Corpus
from harness.errors import CheckpointError, ConfigError
from harness.nn.course import Course
from harness.nn.lists import Batches
from harness.nn.loading import load
from harness.nn.students import Student
from harness.nn.training.stage import Stage
from harness_simlm import Config
from harness_simlm.bottleneck import Bottleneck
from harness_simlm.corruption import Generator, LanguageModel, Passages, Unigram, corrupt

COUNTED = 100_000
"""Documents, evenly spaced, that token frequencies come from."""
BLOCK = 1024
"""Documents tokenised at once for them."""


class Pretraining:
    """Teaches a student to press the lesson's documents into its vectors."""

    def __init__(self, course: Course, config: Config, student: Student) -> None:
        """Find out what draws the replacements.

        Raises:
            CheckpointError: the checkpoint's head is asked for, and it has none.
            ConfigError: the student has no tokeniser that tells words.
        """
        self._course, self._config, self._student = course, config, student
        self._tokeniser: Any = student.model.tokenizer
        if not getattr(self._tokeniser, "is_fast", False):
            raise ConfigError(
                f"pre-training: expected a fast tokeniser, which tells words, got {type(self._tokeniser).__name__}; "
                "take another student"
            )
        self._model = self._language_model()
        course.facts["generator"] = "unigram" if self._model is None else "checkpoint"
        corpus = course.lesson.corpus
        self._batches = Batches(len(corpus), config.pretrain_batch, course.context.seed)

    def stage(self, steps: int) -> Stage:
        """As a part of a training."""
        bottleneck = Bottleneck(self._student, self._config.decoder_layers, self._model)
        return Stage(
            name="pretrain",
            model=bottleneck,
            batch=self.batch,
            loss=lambda passages, step: bottleneck(passages),
            steps=steps,
            examples=self._config.pretrain_batch,
            schedule=self._course.schedule(learning_rate=self._config.pretrain_rate),
        )

    def batch(self, number: int) -> Passages:
        """The corrupted passages of a number."""
        texts = self._course.lesson.corpus.contents(self._batches.positions(number))
        read = self._tokeniser(
            list(texts),
            truncation=True,
            max_length=self._student.model.max_seq_length,
            padding=True,
            return_tensors="pt",
        ).to(self._student.device)
        shares = (self._config.mask_encoder, self._config.mask_decoder)
        return corrupt(read, shares, self.generator, (self._course.context.seed % 2**32, number))

    @cached_property
    def generator(self) -> Generator:
        """What draws the replacements; frequencies are counted when it is first asked."""
        if self._model is None:
            return Unigram(frequencies(self._course.lesson.corpus, self._tokeniser).to(self._student.device))
        self._model.to(self._student.device)
        return LanguageModel(self._model, self._tokeniser.mask_token_id, self._tokeniser.all_special_ids)

    def _language_model(self) -> Any:
        """The student checkpoint's own masked language model; None if there is none, or none is wanted."""
        if self._config.generator == "unigram":
            return None
        try:
            return load("sparse", self._course.lesson.student, self._course.context).transformers_model
        except CheckpointError:  # the student itself was loaded: what lacks is the head
            if self._config.generator == "checkpoint":
                raise
            return None


def frequencies(corpus: Corpus, tokeniser: Any) -> Float[Tensor, " vocab"]:
    """How often each token stands in the corpus; special ones count 0.

    Raises:
        ConfigError: there is no token at all.
    """
    rows = np.unique(np.linspace(0, len(corpus) - 1, min(COUNTED, len(corpus))).astype(int)).tolist()
    counts = np.zeros(len(tokeniser))
    for start in range(0, len(rows), BLOCK):
        read = tokeniser(list(corpus.contents(rows[start : start + BLOCK])), add_special_tokens=False)
        counts += np.bincount(
            np.concatenate([*map(np.asarray, read["input_ids"]), []]).astype(int), minlength=len(counts)
        )
    counts[tokeniser.all_special_ids] = 0
    if not counts.any():
        raise ConfigError("pre-training: expected a corpus with words, got none; leave it out: shares=0,0.3,0.3,0.4")
    return torch.tensor(counts, dtype=torch.float32)

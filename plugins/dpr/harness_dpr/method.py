"""Cross-entropy of the positive among the documents of the batch."""

import torch
from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.errors import ConfigError
from harness.nn.losses import info_nce
from harness.nn.recipe import View, fit
from harness.nn.students import DenseStudent
from harness_dpr import Config
from harness_dpr.towers import TwoTowers


class Dpr:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student; no teacher is asked.

        Raises:
            ConfigError: one tower for a checkpoint that has two.
        """
        student = self.student(lesson.student)
        return fit(lesson, self._context, self._config, self.loss, taught=False, student=student)

    def student(self, checkpoint: str) -> DenseStudent:
        """The student with the towers that the configuration says."""
        if self._config.towers == "two":
            return TwoTowers(checkpoint, self._context, self._config.max_length)
        student = DenseStudent(checkpoint, self._context, self._config.max_length)
        if student.routing("query"):
            raise ConfigError(
                f"towers=shared: expected a checkpoint of one encoder, {checkpoint} has two; use towers=two"
            )
        return student

    def loss(self, view: View) -> Tensor:
        """The loss of a batch.

        Source: Karpukhin et al., 2020, equation 2; section 3.2 for the other questions' documents as negatives.
        """
        return info_nce(view.all_scores, view.positives, temperature=self._config.temperature, mask=self.counted(view))

    def counted(self, view: View) -> Tensor:
        """Which documents stand in each query's softmax: [queries, all_docs]."""
        pools = {
            "batch": torch.ones_like(view.relevant),
            "positives": view.own_positive.any(dim=0).expand_as(view.relevant),
            "list": view.own_list,
        }
        pool = pools[self._config.among]
        return pool & view.candidates if self._config.mask else pool

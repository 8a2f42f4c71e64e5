"""A cross-encoder that learns from labels which document of a list is the relevant one."""

import torch
from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.losses import graded_bce, info_nce
from harness.nn.view import View
from harness_cross_encoder import LabelsConfig


class CrossEncoderLabels:
    """A `harness.contracts.Distiller`; the folder that it leaves is a checkpoint of the `cross-encoder` teacher."""

    def __init__(self, config: LabelsConfig, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student to rerank; no teacher is asked."""
        course = Course(lesson=lesson, context=self._context, config=self._config)
        student = course.pair_student()
        course.train([course.stage("train", student, self.loss, course.lists())])
        return course.finish(student, self._config.first, self._config.depth)

    def loss(self, view: View) -> Tensor:
        """The loss of a batch.

        Source: localized contrastive estimation, Gao et al., 2021, equation 3; pointwise Nogueira and Cho, 2019
        (arXiv:1901.04085), equation 1.
        """
        if self._config.loss == "softmax":
            return info_nce(view.scores, view.first)
        relevant = torch.zeros_like(view.scores)
        relevant[:, 0] = 1
        return graded_bce(view.scores, relevant)

"""RankNet with soft labels over pairs; the teacher is in `teacher`, the choice of pairs in `pairs`."""

import torch
from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.losses import pairwise_bce
from harness.nn.settings import scale_of
from harness.nn.view import View
from harness_prp_distill import Config
from harness_prp_distill.asking import Preferences, affordable, preferences


class PrpDistillation:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student.

        Raises:
            SignalError: the teacher gives no preferences, or the budget allows too few.
        """
        course = Course(lesson=lesson, context=self._context, config=self._config)
        lesson.require("prefer")
        lists = affordable(course.candidates, self._config, lesson.budget.teacher_calls)
        asked = preferences(lesson, lists, self._config)
        student = course.pair_student() if self._config.form == "reranker" else course.student()
        course.train([course.stage("train", student, lambda view: self.loss(view, asked), course.lists(lists))])
        return course.finish(student, self._config.first, self._config.depth)

    def loss(self, view: View, asked: Preferences) -> Tensor:
        """The loss of a batch: mean of −[y log σ(sᵢ − sⱼ) + (1 − y) log σ(sⱼ − sᵢ)] over its pairs."""
        positions, device = list(view.positions), view.rows.device
        columns = torch.as_tensor(asked.columns[positions], device=device)
        labels = torch.as_tensor(asked.labels[positions], device=device)
        first, second = (view.scores.gather(1, columns[:, :, own]) for own in (0, 1))
        return pairwise_bce((self.scale * (first - second)).flatten(), labels.flatten())

    @property
    def scale(self) -> float:
        """Factor on the student's scores."""
        return scale_of(self._config.form, self._config.scale)

"""Three procedures out of three stages: representations, labels, rankings."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.contracts import Context, Lesson, Retriever
from harness.errors import ConfigError
from harness.nn.course import Course
from harness.nn.losses import graded_bce
from harness.nn.taught import teacher_features, teacher_scores, within_budget
from harness.nn.training.stage import Stage
from harness.nn.view import View
from harness_bert_ranker_distill import Config
from harness_bert_ranker_distill.representations import Representations
from harness_bert_ranker_distill.student import WatchedStudent


class BertRankerDistill:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student to rerank.

        Raises:
            SignalError: the teacher gives no scores, or no features named `cls`.
        """
        config = self._config
        lesson.require("score", "features")
        course = Course(lesson=lesson, context=self._context, config=config)
        student = WatchedStudent(lesson.student, self._context, config.max_length)
        course.train(self._stages(course, student))
        return course.finish(student, config.first, config.depth)

    def _stages(self, course: Course, student: WatchedStudent) -> list[Stage]:
        config, calls = self._config, course.lesson.budget.teacher_calls
        scored = config.procedure != "B"
        candidates = within_budget(course.candidates, calls if calls is None else calls // (1 + scored))
        features = teacher_features(course.lesson, candidates, "cls")
        scores = teacher_scores(course.lesson, candidates) if scored else None
        lists = course.lists(candidates, teacher=scores)
        representations = Representations(config, student, features)
        both = nn.ModuleDict({"student": student.model, "projections": representations.projections})
        rates = {"projections.": config.projection_rate} if representations.projections else {}
        options: dict[str, Any] = {"model": both, "rates": rates}

        def rank(view: View) -> Tensor:
            return self.prediction(view) + config.alignment * representations.loss(view)

        if config.procedure == "A":
            return [course.stage("rank", student, rank, lists, **options)]
        if not representations.names:
            raise ConfigError(
                f"procedure {config.procedure} learns representations, and none that the teacher gives has a weight; "
                "expected hidden_weight above 0, or procedure=A"
            )
        first, second = course.share(config.share, 1 - config.share)
        begun = course.stage("represent", student, representations.loss, lists, steps=first, **options)
        if config.procedure == "B":
            return [begun, course.stage("labels", student, self.labels, lists, steps=second)]
        return [begun, course.stage("rank", student, rank, lists, steps=second, **options)]

    def prediction(self, view: View) -> Tensor:
        """How far scores are from the teacher's."""
        assert view.teacher is not None
        if self._config.prediction == "mse":
            return functional.mse_loss(view.scores, view.teacher)
        warm = self._config.temperature
        return graded_bce(view.scores, torch.sigmoid(view.teacher / warm), scale=1 / warm)

    def labels(self, view: View) -> Tensor:
        """Each list's first document is relevant, the others are not."""
        relevant = torch.zeros_like(view.scores)
        relevant[:, 0] = 1
        return graded_bce(view.scores, relevant)

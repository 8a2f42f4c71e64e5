"""Labels, the teacher's final scores, and pairs of layers."""

import torch
from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course, Loss
from harness.nn.lists import Lists
from harness.nn.losses import info_nce, kl
from harness.nn.students.layers import LayeredStudent
from harness.nn.taught import teacher_features, within_budget
from harness.nn.training.stage import Stage
from harness.nn.view import View
from harness_lead import Config
from harness_lead.layers import LayerScores, draw, layer_loss, layer_weights

SCORES = "layer_scores"
"""Features that are needed: of each pair a score of every layer, the last one final."""


class Lead:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student.

        Raises:
            SignalError: the teacher gives no scores of its layers.
        """
        lesson.require("features")
        course = Course(lesson=lesson, context=self._context, config=self._config)
        candidates = within_budget(course.candidates, lesson.budget.teacher_calls)
        scores = teacher_features(lesson, candidates, SCORES)[SCORES]
        student = LayeredStudent(lesson.student, self._context, self._config.max_length)

        def loss(view: View) -> Tensor:
            teacher = torch.as_tensor(scores[list(view.positions)], device=student.device)
            return self.loss(view, student.layer_scores(), teacher)

        lists = course.lists(candidates, teacher=scores[:, :, -1])
        course.train(self._stages(course, student, loss, lists))
        return course.finish(student)

    def _stages(self, course: Course, student: LayeredStudent, loss: Loss, lists: Lists) -> list[Stage]:
        """The warm-up, if it has a share of the steps, and the distillation."""
        warm_up = self._config.warm_up
        if not warm_up:
            return [course.stage("train", student, loss, lists)]
        warm, taught = course.share(warm_up, 1 - warm_up)
        return [
            course.stage("warm-up", student, self.labels, lists, steps=warm),
            course.stage("train", student, loss, lists, steps=taught),
        ]

    def labels(self, view: View) -> Tensor:
        """Cross-entropy of the positive among the documents of the batch, which the student starts with."""
        return info_nce(self._config.scale * view.all_scores, view.positives, mask=view.candidates)

    def loss(self, view: View, student: LayerScores, teacher: LayerScores) -> Tensor:
        """The three terms.

        Args:
            view: a batch with the teacher's final scores.
            student: scores of its lists by the student's layers.
            teacher: by the teacher's.
        """
        assert view.teacher is not None
        config, scores = self._config, self._config.scale * view.scores
        total = config.label_weight * info_nce(scores, view.first)
        total = total + config.response_weight * kl(scores, view.teacher, teacher_temperature=config.temperature)
        if not config.layers:
            return total
        turn = view.step // config.refresh
        theirs, ours = draw(self._context.seed, turn, teacher.shape[2], student.shape[2], config.layers)
        chosen = teacher[:, :, theirs] / config.temperature
        weights = layer_weights(chosen, config.weighting)
        return total + config.layer_weight * layer_loss(config.scale * student[:, :, ours], chosen, weights)

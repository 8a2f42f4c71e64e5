"""ColBERT is trained on labels; then the student follows it over all documents of each batch."""

import torch
from jaxtyping import Float
from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.losses import info_nce, kl
from harness.nn.students import LateStudent, Student
from harness.nn.view import View
from harness_tct_colbert import Config

TEACHER = "teacher"
"""Where the trained teacher is, in the training's folder."""


class TctColbert:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train a ColBERT from the lesson's student, then the student from it; the ColBERT is kept beside it."""
        course = Course(lesson=lesson, context=self._context, config=self._config)
        teacher, student, lists = course.student("late-interaction"), course.student(), course.lists()
        assert isinstance(teacher, LateStudent), "as was asked for"
        own, rest = course.share(self._config.teacher_share, 1 - self._config.teacher_share)
        course.train(
            [
                course.stage("teacher", teacher, self.teacher_loss, lists, steps=own),
                course.stage(
                    "train",
                    student,
                    lambda view: self.loss(view, self.opinion(teacher, view)),
                    lists,
                    steps=rest,
                    before=lambda: self._start(student, teacher),
                ),
            ]
        )
        teacher.save(self._context.training / TEACHER)
        return course.finish(student)

    def teacher_loss(self, view: View) -> Tensor:
        """Cross-entropy of the positive among all documents of the batch."""
        return info_nce(self._config.teacher_scale * view.all_scores, view.positives, mask=view.candidates)

    @torch.no_grad()
    def opinion(self, teacher: LateStudent, view: View) -> Float[Tensor, "queries all_docs"]:
        """The teacher's scores of each query with all documents of the batch, made on the spot."""
        queries = teacher.embed([query.text for query in view.queries], "query")
        return self._config.teacher_scale * teacher.matrix(queries, teacher.embed(view.texts, "document"))

    def loss(self, view: View, opinion: Float[Tensor, "queries all_docs"]) -> Tensor:
        """The divergence of the student's distribution over the batch from the teacher's, and the labels' part."""
        scores = self._config.scale * view.all_scores
        loss = kl(scores, opinion, teacher_temperature=self._config.teacher_temperature)
        if self._config.label_weight:
            labels = info_nce(scores, view.positives, mask=view.candidates)
            loss = loss + self._config.label_weight * labels
        return loss

    def _start(self, student: Student, teacher: LateStudent) -> None:
        """The student's transformer as the teacher's is, before the first step."""
        if self._config.start == "teacher":
            student.model[0].load_state_dict(teacher.model[0].state_dict())

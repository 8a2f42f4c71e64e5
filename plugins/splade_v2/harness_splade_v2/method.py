"""Students of both variants, trained in one stage."""

import torch

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.regularised import finish, splade
from harness.nn.students import LookupStudent, SparseStudent
from harness.nn.students.lookup import TABLE
from harness_splade_v2 import Config


class SpladeV2:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student.

        Raises:
            SignalError: margins are to be learnt, and the teacher gives no scores.
        """
        course = Course(lesson=lesson, context=self._context, config=self._config)
        lists = course.lists() if self._config.ranking == "contrastive" else course.taught()
        student = self.student(lesson.student)
        frozen = (TABLE,) if isinstance(student, LookupStudent) else ()
        course.train([course.stage("train", student, splade(self._config, course.steps), lists, frozen=frozen)])
        return finish(course, student)

    def student(self, checkpoint: str) -> SparseStudent:
        """The student of the variant; where queries aren't encoded, every word piece of one weighs 1.

        Raises:
            CheckpointError: not a masked language model.
        """
        if self._config.variant == "max":
            return SparseStudent(checkpoint, self._context, self._config.max_length)
        student = LookupStudent(checkpoint, self._context, self._config.max_length)
        student.weigh(torch.ones(student.vocabulary))
        return student

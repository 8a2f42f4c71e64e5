"""Permutation distillation: candidate lists in the teacher's order, and a student that learns it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.lists import Scores
from harness.nn.mining import Candidates
from harness.nn.settings import scale_of
from harness.nn.taught import documents, within_budget
from harness.nn.view import View
from harness.records import Document, Query
from harness.signals import checks
from harness_rankgpt import DistilConfig
from harness_rankgpt.losses import permutation_loss

Question = tuple[Query, Sequence[Document]]


class PermutationDistillation:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: DistilConfig, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student.

        The budget of teacher calls counts the documents of a list, so that there are as many lists as with scores.

        Raises:
            SignalError: the teacher gives no order, or none that is a permutation.
        """
        course = Course(lesson=lesson, context=self._context, config=self._config)
        lesson.require("order")
        chosen = within_budget(course.candidates, lesson.budget.teacher_calls)
        lists = course.lists(chosen, teacher=reciprocal_ranks(lesson, chosen))
        student = course.pair_student() if self._config.form == "reranker" else course.student()
        course.train([course.stage("train", student, self.loss, lists)])
        return course.finish(student, self._config.first, self._config.depth)

    def loss(self, view: View) -> Tensor:
        """The loss of a batch whose `teacher` are reciprocal ranks."""
        assert view.teacher is not None
        config = self._config
        knobs = {"bias": config.bias, "temperature": config.temperature, "mu": config.mu}
        return permutation_loss(config.loss, self.scale * view.scores, view.teacher, **knobs)

    @property
    def scale(self) -> float:
        """Factor on the student's scores."""
        if self._config.scale is None and self._config.loss == "rmse":
            return 1.0
        return scale_of(self._config.form, self._config.scale)


def reciprocal_ranks(lesson: Lesson, lists: Candidates) -> Scores:
    """1 / rank of every document in the teacher's order of its list.

    The teacher sees a list in the first stage's order: whatever it passes over stays as it was, so that it must not
    stand in the list's own order, in which the positive is the first.

    Raises:
        SignalError: there is no teacher, it gives no order, or one that is no permutation.
    """
    columns = lists.columns_by_rank()
    seen = np.take_along_axis(lists.rows, columns, axis=1)
    read = documents(lesson, seen)
    questions = [(query, [read[row] for row in rows]) for query, rows in zip(lists.queries, seen.tolist(), strict=True)]
    orders = np.array(_ordered(lesson.require("order"), questions))
    targets = np.empty(lists.rows.shape, np.float32)
    ranked = np.take_along_axis(columns, orders, axis=1)
    np.put_along_axis(targets, ranked, 1 / np.arange(1, ranked.shape[1] + 1, dtype=np.float32)[None], axis=1)
    return targets


def _ordered(teacher: Any, questions: Sequence[Question]) -> list[np.ndarray]:
    """All lists at once where the teacher takes them so: what remembers it keeps them in few files."""
    together = getattr(teacher, "orders", None)
    given = together(questions) if together else [teacher.order(*question) for question in questions]
    return [checks.permutation(question, order) for question, order in zip(questions, given, strict=True)]

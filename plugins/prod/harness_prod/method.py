"""Labels, then teacher after teacher, then the queries that are nearly answered right."""

import dataclasses
from typing import Any

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.lists import Lists
from harness.nn.taught import teacher_vectors, within_budget
from harness.nn.training.stage import Stage
from harness_prod import Config, confusing
from harness_prod.learner import Learner


class Prod:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student through all stages.

        Raises:
            SignalError: the lesson's teacher gives no scores, or the budget allows too few.
        """
        teachers = [*(self._context.build(use) for use in self._config.chain), lesson.require("score")]
        course = Course(lesson=lesson, context=self._context, config=self._config)
        learner = Learner(course.student(), course.student(), self._config)
        course.train(self._stages(course, learner, teachers))
        return course.finish(learner.student)

    def _stages(self, course: Course, learner: Learner, teachers: list[Any]) -> list[Stage]:
        config = self._config
        ends = config.warm_share, config.confusing_share
        middle = [(1 - sum(ends)) / len(teachers)] * len(teachers)
        shares = [share for share in (ends[0], *middle, ends[1]) if share]
        steps = iter(course.share(*shares))
        stages: list[Stage] = []
        if config.warm_share:
            stages.append(course.stage("warm", learner.student, learner.labels, course.lists(), steps=next(steps)))
        for place, teacher in enumerate(teachers):
            stages.append(self._taught(course, learner, teacher, place, next(steps)))
        if config.confusing_share:
            stages.append(self._confusing(course, learner, next(steps)))
        return stages

    def _taught(self, course: Course, learner: Learner, teacher: Any, place: int, steps: int) -> Stage:
        """The stage of a teacher: over the batch if it is a dual encoder, else over lists."""
        dual, cost = _is_dual(teacher), self._cost(teacher is course.lesson.teacher)

        def lists() -> Lists:
            again = place and self._config.refresh
            found = course.mined(learner.student.retriever()) if again else course.candidates
            found = within_budget(found, course.lesson.budget.teacher_calls, cost)
            if dual:
                return course.lists(found, vectors=teacher_vectors(course.lesson, found, teacher))
            return course.taught(found, teacher)

        name, loss = f"teacher-{place + 1}", learner.batchwise if dual else learner.listwise
        return course.stage(name, learner.student, loss, lists, steps=steps, before=learner.remember)

    def _confusing(self, course: Course, learner: Learner, steps: int) -> Stage:
        """The stage on queries that are nearly answered right, at a lower learning rate."""
        config, calls = self._config, course.lesson.budget.teacher_calls
        left = None if calls is None else calls // self._cost(True) * (config.depth + 1)

        def lists() -> Lists:
            scale = config.vector_scale if _is_dual(course.lesson.teacher) else 1.0
            return confusing.lists(course, learner.student, depth=config.depth, calls=left, scale=scale)

        stage = course.stage(
            "confusing", learner.student, learner.listwise, lists, steps=steps, before=learner.remember
        )
        rate = config.confusing_rate * config.learning_rate
        return dataclasses.replace(stage, schedule=course.schedule(learning_rate=rate))

    def _cost(self, last: bool) -> int:
        """Most questions to a teacher that a list makes: a text each, and what the last one ranks again."""
        config = self._config
        return config.documents + 1 + (config.depth + 1 if last and config.confusing_share else 0)


def _is_dual(teacher: Any) -> bool:
    """Whether it compares vectors, so that its scores are for all documents of a batch, and small."""
    return getattr(teacher, "scores_are_dot_products", False)

"""Pre-training, then three fine-tunings: each from the pre-trained weights, on negatives that the one before mines."""

from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.errors import ConfigError
from harness.nn.course import Course
from harness.nn.lists import Lists
from harness.nn.loading import adjust
from harness.nn.losses import info_nce, kl
from harness.nn.recipe import View
from harness.nn.students import Student
from harness.nn.training.stage import Stage
from harness_simlm import STAGES, Config
from harness_simlm.pretraining import Pretraining


class SimLM:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student.

        Raises:
            ConfigError: a budget of examples, and pre-training with other batches than the rest.
            SignalError: the teacher gives no scores.
        """
        lesson.require("score")
        self._check(lesson)
        course = Course(lesson=lesson, context=self._context, config=self._config)
        steps = self._steps(course)
        start = self.student(course)
        stages = [Pretraining(course, self._config, start).stage(steps.pop("pretrain"))] if "pretrain" in steps else []
        last: Student | None = None
        for name, count in steps.items():
            learner = self.student(course)
            stages.append(self._tuning(course, name, count, (start, last, learner)))
            last = learner
        assert last is not None, "the configuration has a stage after pre-training"
        course.train(stages)
        return course.finish(last)

    def _check(self, lesson: Lesson) -> None:
        """A budget of examples is dealt out in steps, which must all cost the same."""
        config, examples = self._config, lesson.budget.examples
        if examples is not None and config.shares[0] and config.pretrain_batch != config.batch:
            raise ConfigError(
                f"under a budget of examples expected pretrain_batch to be batch ({config.batch}), got "
                f"{config.pretrain_batch}: set pretrain_batch={config.batch}, or limit the steps instead"
            )

    def contrastive(self, view: View) -> Tensor:
        """InfoNCE of each query's positive among all documents of the batch."""
        scores, positives = view.all_scores, view.positives
        return info_nce(scores, positives, temperature=self._config.temperature, mask=view.candidates)

    def distilled(self, view: View) -> Tensor:
        """KL from the teacher's distribution over each list, and a share of `contrastive`.

        Source: Wang et al., 2023 (arXiv:2207.02578), section 3.2.
        """
        assert view.teacher is not None
        config = self._config
        student, teacher = config.temperature, config.teacher_temperature
        loss = kl(view.scores, view.teacher, student_temperature=student, teacher_temperature=teacher)
        return loss + config.contrastive * self.contrastive(view) if config.contrastive else loss

    def _steps(self, course: Course) -> dict[str, int]:
        """Optimiser steps of the stages that have any."""
        kept = {name: share for name, share in zip(STAGES, self._config.shares, strict=True) if share}
        return dict(zip(kept, course.share(*kept.values()), strict=True))

    def student(self, course: Course) -> Student:
        """A new one, untrained."""
        student = course.student()
        adjust(student.model, pooling=self._config.pooling)
        return student

    def _tuning(
        self, course: Course, name: str, steps: int, students: tuple[Student, Student | None, Student]
    ) -> Stage:
        """A fine-tuning; each stage has a student of its own, so that resuming finds all their weights again.

        Args:
            course: of the lesson.
            name: of the stage.
            steps: optimiser steps.
            students: whose weights it starts from, who mines negatives (None: the frozen lists), who learns.
        """
        start, miner, learner = students

        def lists() -> Lists:
            mined = course.candidates if miner is None else course.mined(miner.retriever())
            return course.taught(mined) if name == "distilled" else course.lists(mined)

        def begin() -> None:
            learner.model.load_state_dict(start.model.state_dict())

        loss = self.distilled if name == "distilled" else self.contrastive
        return course.stage(name, learner, loss, lists, steps=steps, before=begin)

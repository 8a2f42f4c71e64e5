"""Divergence from the teacher over lists, and contrast over the batch without likely positives."""

from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.losses import info_nce, kl
from harness.nn.taught import between_percentiles, scorable, teacher_scores
from harness.nn.view import View
from harness_listwise_domain_kd import Config
from harness_listwise_domain_kd.grading import likely_positives


class ListwiseDomainKd:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student.

        Raises:
            SignalError: the teacher gives no scores, or the same to all pairs.
        """
        course = Course(lesson=lesson, context=self._context, config=self._config)
        chosen = scorable(lesson, course.candidates)
        percentiles = self._config.low_percentile, self._config.high_percentile
        lists = course.lists(chosen, teacher=between_percentiles(teacher_scores(lesson, chosen), *percentiles))
        student = course.student()
        course.train([course.stage("train", student, self.loss, lists)])
        return course.finish(student)

    def loss(self, view: View) -> Tensor:
        """The loss of a batch whose teacher scores are between 0 and 1."""
        config = self._config
        return config.list_weight * self.listwise(view) + config.contrastive_weight * self.contrastive(view)

    def listwise(self, view: View) -> Tensor:
        """KL(softmax(t / 0.3) ‖ softmax(c / 0.05)) over each list."""
        assert view.teacher is not None
        return kl(
            view.scores,
            view.teacher,
            student_temperature=self._config.student_temperature,
            teacher_temperature=self._config.teacher_temperature,
        )

    def contrastive(self, view: View) -> Tensor:
        """InfoNCE of the positive among all documents of the batch that aren't likely positives."""
        assert view.teacher is not None
        counted = ~likely_positives(view.rows, view.teacher, self._config.threshold)
        if self._config.mask_judged:
            counted = counted & view.candidates
        temperature = self._config.contrastive_temperature
        return info_nce(view.all_scores, view.positives, temperature=temperature, mask=counted)

"""One round on given negatives, or two, the second on negatives that the first round's student finds."""

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.lists import Lists
from harness.nn.mining import Candidates
from harness.nn.regularised import finish, splade
from harness.nn.students import SparseStudent
from harness.nn.taught import scorable, teacher_scores
from harness.nn.training.stage import Stage
from harness_splade_pp import Config


class SpladePp:
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
        stages, student = self._rounds(course)
        course.train(stages)
        return finish(course, student)

    def _rounds(self, course: Course) -> tuple[list[Stage], SparseStudent]:
        """The stages, and the student of the last; each starts from the checkpoint."""
        first, lists = SparseStudent(*self._start(course)), self._lists(course, course.candidates)
        if self._config.rounds == 1:
            return [course.stage("train", first, splade(self._config, course.steps), lists)], first
        second = SparseStudent(*self._start(course))
        some, rest = course.share(self._config.first, 1 - self._config.first)

        def mined() -> Lists:
            return self._lists(course, course.mined(first.retriever()))

        return [
            course.stage("first", first, splade(self._config, some), lists, steps=some),
            course.stage("second", second, splade(self._config, rest), mined, steps=rest),
        ], second

    def _start(self, course: Course) -> tuple[str, Context, int]:
        return course.lesson.student, self._context, self._config.max_length

    def _lists(self, course: Course, candidates: Candidates) -> Lists:
        """Lists to learn from, with the teacher's scores where it is needed; each round has its share of its calls."""
        if self._config.ranking == "contrastive":
            return course.lists(candidates)
        kept = scorable(course.lesson, candidates, rounds=self._config.rounds)
        return course.lists(kept, teacher=teacher_scores(course.lesson, kept))

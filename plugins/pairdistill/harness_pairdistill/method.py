"""Listwise divergence, in-batch negatives and pairwise preferences, round after round."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.lists import Lists
from harness.nn.losses import info_nce, kl, pairwise_bce
from harness.nn.mining import Candidates
from harness.nn.settings import scale_of
from harness.nn.students import Student
from harness.nn.taught import within_budget
from harness.nn.training.stage import Stage
from harness.nn.view import View
from harness_pairdistill import Config
from harness_pairdistill.pairs import Preferences, asked, chosen, count


class PairDistill:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student, as often as there are rounds.

        Raises:
            SignalError: the teacher gives no scores or no preferences, or the budget allows too few.
        """
        lesson.require("score", "prefer")
        course = Course(lesson=lesson, context=self._context, config=self._config)
        student, rounds = course.student(self._config.form), self._config.rounds
        steps = course.share(*[1 / rounds] * rounds)
        course.train([self.round(course, student, number, steps[number]) for number in range(rounds)])
        return course.finish(student)

    def round(self, course: Course, student: Student, number: int, steps: int) -> Stage:
        """A stage of training; its signals are asked for when it begins."""
        signals: list[Preferences] = []

        def lists() -> Lists:
            own = course.mined(student.retriever()) if number else course.candidates
            taught, preferences = self.signals(course, own)
            signals[:] = [preferences]
            return taught

        def loss(view: View) -> Tensor:
            return self.loss(view, *_of(signals[0], view))

        return course.stage(f"round-{number + 1}", student, loss, lists, steps=steps)

    def signals(self, course: Course, lists: Candidates) -> tuple[Lists, Preferences]:
        """Scores and preferences for as many of the lists as the budget of a round has teacher calls for."""
        config, docs, calls = self._config, lists.rows.shape[1], course.lesson.budget.teacher_calls
        a_round = None if calls is None else calls // config.rounds
        taught = course.taught(within_budget(lists, a_round, docs + count(docs, config.window, config.pairs)))
        assert taught.teacher is not None, "these lists were scored"
        columns = chosen(taught.teacher, window=config.window, most=config.pairs, seed=config.draw)
        return taught, asked(course.lesson, taught.candidates, columns)

    def loss(
        self, view: View, columns: Int[Tensor, "queries pairs 2"], chances: Float[Tensor, "queries pairs"]
    ) -> Tensor:
        """The three losses of a batch, weighted.

        Args:
            view: of the batch.
            columns: documents of each list that were compared.
            chances: that the first is the better one.

        Source: the paper's objective, L_point + L_ib + λ L_pair.
        """
        assert view.teacher is not None
        config, scores = self._config, self.scale * view.scores
        point = kl(scores, config.teacher_scale * view.teacher, student_temperature=config.temperature)
        first, second = (scores.gather(1, columns[:, :, own]) for own in (0, 1))
        pair = preference_divergence(((first - second) / config.temperature).flatten(), chances.flatten())
        contrast = info_nce(self.scale * view.all_scores, view.positives, mask=self._among(view))
        return config.point_weight * point + config.pair_weight * pair + config.contrast_weight * contrast

    def _among(self, view: View) -> Bool[Tensor, "queries all_docs"]:
        """What the positive is told from: of a late-interaction student, not the query's own negatives."""
        if self._config.form == "dense":
            return view.candidates
        return view.candidates & (view.own_positive | ~view.own_list)

    @property
    def scale(self) -> float:
        """Factor on the student's scores."""
        return scale_of(self._config.form, self._config.scale)


def preference_divergence(margins: Float[Tensor, " pairs"], chances: Float[Tensor, " pairs"]) -> Float[Tensor, ""]:
    """Mean of KL([p, 1 − p] ‖ [σ(m), 1 − σ(m)]); 0 if there is no pair.

    Args:
        margins: student's scores of the first document minus those of the second.
        chances: the teacher's probabilities that the first is the better one.
    """
    if not margins.numel():
        return margins.sum()
    entropy = -(torch.xlogy(chances, chances) + torch.xlogy(1 - chances, 1 - chances)).mean()
    return pairwise_bce(margins, chances) - entropy


def _of(preferences: Preferences, view: View) -> tuple[Int[Tensor, "queries pairs 2"], Float[Tensor, "queries pairs"]]:
    """Those of a batch, on its device."""
    positions, device = list(view.positions), view.rows.device
    columns = torch.as_tensor(preferences.columns[positions], device=device)
    return columns, torch.as_tensor(preferences.chances[positions], device=device)

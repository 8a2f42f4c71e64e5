"""Three scores and their sum: each learns from the labels, and the first three from the sum."""

import torch
from jaxtyping import Float
from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.losses import cross_entropy, info_nce
from harness.nn.recipe import View
from harness.nn.view import LateView
from harness_bge_m3 import Config
from harness_bge_m3.student import M3Student, Scores


class BgeM3:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student.

        Raises:
            SignalError: an outside teacher is wanted, and there is none that gives scores.
        """
        config = self._config
        course = Course(lesson=lesson, context=self._context, config=config)
        lists = course.taught() if config.outside else course.lists()
        student = M3Student(lesson.student, self._context, config)
        rates = {"heads": config.head_rate}
        course.train([course.stage("train", student, self.loss, lists, model=student.whole, rates=rates)])
        return course.finish(student)

    def loss(self, view: View) -> Tensor:
        """The loss of a batch: labels, or an outside teacher, and the student's own sum.

        Source: Chen et al., 2024 (arXiv:2402.03216), section 3.3.
        """
        assert isinstance(view, LateView)
        assert isinstance(view.student, M3Student)
        scores = view.student.compare(view.query_tokens, view.document_tokens)
        given = self.given(scores, view)
        if not self._config.self_distil or view.step < self._config.start:
            return given
        return (given + self.own(scores, scores.total(self._config.weights), view)) / 2

    def given(self, scores: Scores, view: View) -> Tensor:
        """What the labels, or the outside teacher, say: L = (L_dense + λ L_lex + L_mul + L_inter) / 4."""
        losses = [self._given(head, view) for head in (*scores, scores.total(self._config.weights))]
        return _weighed(losses, self._config.lexical)

    def own(self, scores: Scores, total: Float[Tensor, "queries all_docs"], view: View) -> Tensor:
        """What the sum says: L' = (L'_dense + λ L'_lex + L'_mul) / 3, over the same candidates."""
        target = total.detach() if self._config.detach_target else total
        losses = [self._follow(head, target, view.candidates) for head in scores]
        return _weighed(losses, self._config.lexical)

    def _given(self, head: Float[Tensor, "queries all_docs"], view: View) -> Tensor:
        tau = self._config.temperature
        if not self._config.outside:
            return info_nce(head, view.positives, temperature=tau, mask=view.candidates)
        assert view.teacher is not None
        teacher, lists = view.teacher, head[view.own_list].view_as(view.teacher)
        temperature = self._config.teacher_temperature
        return cross_entropy(lists, teacher, student_temperature=tau, teacher_temperature=temperature)

    def _follow(self, head: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        tau = self._config.temperature
        return cross_entropy(head, target, student_temperature=tau, teacher_temperature=tau, mask=mask)


def _weighed(losses: list[Tensor], lexical: float) -> Tensor:
    """The mean, the lexical head's loss, which is the second, times its weight."""
    dense, words, *others = losses
    return torch.stack([dense, lexical * words, *others]).mean()

"""A contrastive loss, and another over the teacher's order of the student's hard negatives."""

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.losses import info_nce
from harness.nn.view import View
from harness_cprd import Config
from harness_cprd.memory import Memory, Others
from harness_cprd.ranking import rank_by_contrast, valid_negatives


class Cprd:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student.

        Raises:
            SignalError: the teacher gives no scores.
        """
        course = Course(lesson=lesson, context=self._context, config=self._config)
        lists, student = course.taught(), course.student()
        if not self._config.queue:
            course.train([course.stage("train", student, self.loss, lists)])
            return course.finish(student)
        relevant = {example.query.id: tuple(example.positives) for example in lesson.examples}
        memory = Memory(course.student(), self._config.queue, self._config.momentum, relevant)

        def loss(view: View) -> Tensor:
            memory.follow(student.model, view.step)
            found = self.loss(view, memory.others(view))
            memory.add(view)
            return found

        both = nn.ModuleDict({"student": student.model, "memory": memory})
        course.train([course.stage("train", student, loss, lists, model=both, frozen=("memory.",))])
        return course.finish(student)

    def loss(self, view: View, others: Others | None = None) -> Tensor:
        """Contrastive loss plus ranking loss.

        Args:
            view: a batch with the teacher's scores of its lists.
            others: documents of earlier batches.
        """
        config, none = self._config, view.all_scores[:, :0]
        more = Others(none, none.bool()) if others is None else others
        contrastive = info_nce(
            view.all_scores,
            view.positives,
            temperature=config.temperature,
            mask=view.candidates,
            more=more.scores.masked_fill(~more.counted, -torch.inf),
            symmetric=config.symmetric,
        )
        return contrastive + config.ranking_weight * self._ranking(view, more)

    def _ranking(self, view: View, more: Others) -> Tensor:
        assert view.teacher is not None
        scores = torch.cat([view.all_scores, more.scores], dim=1) / self._config.temperature
        asked = torch.cat([view.own_list, torch.zeros_like(more.counted)], dim=1)
        teacher = torch.zeros_like(scores).masked_scatter(asked, view.teacher)
        negatives = torch.cat([view.candidates & ~view.own_positive & ~_copies(view), more.counted], dim=1)
        limits = {"hard": self._config.hard, "valid": self._config.valid}
        valid = valid_negatives(scores, teacher, negatives=negatives, asked=asked, **limits)
        return rank_by_contrast(scores, teacher, valid, negatives & ~valid)


def _copies(view: View) -> Bool[Tensor, "queries all_docs"]:
    """Documents of other lists that stand in the query's own list too: they'd be set against themselves."""
    return (view.rows.unsqueeze(2) == view.rows.flatten()).any(dim=1) & ~view.own_list

"""First each model learns alone, then both learn on the same lists, each from the other."""

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.lists import Lists
from harness.nn.losses import info_nce, kl
from harness.nn.students import PairStudent, Student
from harness.nn.training.stage import Stage
from harness.nn.view import View
from harness_rocketqav2 import Config
from harness_rocketqav2.lists import hybrid

RERANKER = "reranker"
"""Where the trained reranker is, in the training's folder."""


class RocketQaV2:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train a retriever and a reranker of the lesson's student; the reranker is kept beside the student.

        Raises:
            SignalError: the teacher gives no scores.
        """
        config = self._config
        course = Course(lesson=lesson, context=self._context, config=config)
        taught = course.taught()
        retriever, reranker = course.student(), course.pair_student()
        course.train(self._stages(course, retriever, reranker, taught))
        reranker.save(self._context.training / RERANKER)
        found = course.finish(retriever)
        return reranker.retriever(found, config.rerank) if config.rerank else found

    def _stages(self, course: Course, retriever: Student, reranker: PairStudent, taught: Lists) -> list[Stage]:
        """The retriever alone and the reranker alone, as far as they have a share of the steps, and both."""
        first, warm = self._config.first_share, self._config.warm_share
        steps = iter(course.share(*(share for share in (first, warm, 1 - first - warm) if share)))
        stages: list[Stage] = []
        if first:
            stages.append(course.stage("first", retriever, self.first_loss, course.lists(), steps=next(steps)))
        if warm:
            stages.append(course.stage("warm", reranker, self.warm_loss, taught, steps=next(steps)))
        return [*stages, self.both(course, retriever, reranker, taught, next(steps))]

    def both(self, course: Course, retriever: Student, reranker: PairStudent, taught: Lists, steps: int) -> Stage:
        """The stage of joint learning; without `joint`, the reranker is no part of what learns."""
        config, scores = self._config, taught.teacher
        assert scores is not None, "these lists were scored"
        cuts = {"doubtful": config.doubtful, "trusted": config.trusted}
        lists, counts = hybrid(taught.candidates, scores, config.lists, **cuts, draw=config.draw)
        course.facts["lists"] = {"all": len(lists), "raw": 0 if config.lists == "denoised" else len(taught)}
        models = {"retriever": retriever.model} | ({"reranker": reranker.model} if config.joint else {})

        def loss(view: View) -> Tensor:
            with torch.set_grad_enabled(torch.is_grad_enabled() and config.joint):
                reread = read(reranker, view)
            return self.loss(view, reread, mask=_of(counts, view))

        options = {"model": nn.ModuleDict(models), "rates": {"": config.joint_rate}}
        return course.stage("joint", retriever, loss, course.lists(lists), steps=steps, **options)

    def first_loss(self, view: View) -> Tensor:
        """The retriever's alone: cross-entropy of the positive among all documents of the batch."""
        return info_nce(self._config.scale * view.all_scores, view.positives, mask=view.candidates)

    def warm_loss(self, view: View) -> Tensor:
        """The reranker's alone: the divergence from the teacher's distribution, or the cross-entropy on the labels."""
        if self._config.warm == "teacher":
            assert view.teacher is not None
            return kl(view.scores, view.teacher)
        return info_nce(view.scores, view.first)

    def loss(
        self,
        view: View,
        reread: Float[Tensor, "queries docs"],
        *,
        mask: Bool[Tensor, "queries docs"] | None = None,
    ) -> Tensor:
        """The divergence between both models' distributions, and the reranker's cross-entropy on the labels.

        Args:
            view: of the retriever.
            reread: the reranker's scores.
            mask: documents that count.

        Source: equations 4 to 8; the direction that the released code takes is `forward`.
        """
        config = self._config
        target = reread.detach() if config.detach_target else reread
        tied = kl(config.scale * view.scores, target, direction=config.direction, mask=mask)
        if not config.joint:
            return config.divergence_weight * tied
        labels = info_nce(reread, view.first, mask=mask)
        return config.divergence_weight * tied + config.label_weight * labels


def read(reranker: PairStudent, view: View) -> Float[Tensor, "queries docs"]:
    """The reranker's scores of each query with its own list."""
    queries = [query.text for query in view.queries for _ in range(view.rows.shape[1])]
    return reranker.score(list(zip(queries, view.texts, strict=True))).view(view.rows.shape)


def _of(counts: Bool[np.ndarray, "lists docs"], view: View) -> Bool[Tensor, "queries docs"]:
    return torch.as_tensor(counts[list(view.positions)], device=view.rows.device)

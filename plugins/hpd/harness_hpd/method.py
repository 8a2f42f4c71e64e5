"""Mean squared error against the teacher's shortened embeddings."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course, Loss
from harness.nn.losses import mse
from harness.nn.recipe import View
from harness.nn.taught import teacher_vectors, within_budget
from harness_hpd import Config, projection
from harness_hpd.projection import Matrix, Vectors
from harness_hpd.student import Projected

MEASURED = 1000
"""Vectors between which inner products are compared for the record."""


class Hpd:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student and a projection on it.

        Raises:
            ConfigError: `dim` doesn't fit the teacher's dimension.
            SignalError: the teacher gives no vectors.
        """
        lesson.require("embed")
        config, course = self._config, Course(lesson=lesson, context=self._context, config=self._config)
        lists = within_budget(course.candidates, lesson.budget.teacher_calls, each=1 + config.documents)
        queries, documents = teacher_vectors(lesson, lists)
        known = np.concatenate([queries, documents[np.unique(lists.rows)]])
        matrix = self.matrix(known)
        course.facts["targets"] = facts(known, matrix, config.scale)
        student = Projected(lesson.student, self._context, config.max_length, config.dim, config.tanh)
        loss = regression(*(config.scale * vectors @ matrix.T for vectors in (queries, documents)))
        rates = {student.head: config.head_rate}
        course.train([course.stage("train", student, loss, course.lists(lists), rates=rates)])
        return course.finish(student)

    def matrix(self, vectors: Vectors) -> Matrix:
        """What shortens the teacher's vectors, found from a sample of them."""
        config, seed = self._config, self._context.seed
        sample = np.random.default_rng(seed).permutation(len(vectors))[: config.sample]
        width = vectors.shape[1]
        made: dict[str, Callable[[], Matrix]] = {
            "pca": lambda: projection.pca(vectors[sample], config.dim),
            "random": lambda: projection.random(width, config.dim, seed),
            "teacher": lambda: projection.identity(width, config.dim),
        }
        return made[config.targets]()


def regression(queries: Vectors, documents: Vectors) -> Loss:
    """The mean of ‖h(x) − z(x)‖² over the queries and documents of a batch; the paper's objective.

    Args:
        queries: targets z, one a list.
        documents: the same, one a row of the corpus.
    """

    def loss(view: View) -> Tensor:
        rows = view.rows.flatten().cpu().numpy()
        target = np.concatenate([queries[list(view.positions)], documents[rows]])
        student = torch.cat([view.query_vectors, view.document_vectors.flatten(0, 1)])
        return mse(student, torch.as_tensor(target, device=student.device))

    return loss


def facts(vectors: Vectors, matrix: Matrix, scale: float) -> dict[str, Any]:
    """What is lost before anything is learnt: inner products by the matrix, numbers beyond 1 by the tanh."""
    targets = scale * vectors @ matrix.T
    return {
        "inner_product_error": projection.inner_product_error(vectors[:: max(1, len(vectors) // MEASURED)], matrix),
        "beyond_tanh": float((np.abs(targets) > 1).mean()),
        "tanh_floor": float(np.square(np.maximum(np.abs(targets) - 1, 0)).sum(axis=1).mean()),
    }

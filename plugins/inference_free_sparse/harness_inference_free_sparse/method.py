"""Documents' encoder against a table of query weights: divergence from an ensemble, and grouped FLOPS."""

import torch
from jaxtyping import Float
from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course, Loss
from harness.nn.losses import flops, grouped_flops, kl
from harness.nn.recipe import View
from harness.nn.regularised import finish, regularised
from harness.nn.students import LookupStudent
from harness.nn.students.lookup import TABLE
from harness_inference_free_sparse import Config
from harness_inference_free_sparse.idf import table


class InferenceFreeSparse:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student.

        Raises:
            SignalError: the teacher gives no scores.
        """
        config = self._config
        course = Course(lesson=lesson, context=self._context, config=config)
        student, lists = self.student(lesson), course.taught()
        rates, frozen = ({TABLE: config.idf_rate}, ()) if config.idf_rate else (None, (TABLE,))
        loss = self.loss(course.steps)
        course.train([course.stage("train", student, loss, lists, rates=rates, frozen=frozen)])
        with torch.no_grad():
            student.table.clamp_(min=0)  # as it counted in training
        return finish(course, student)

    def student(self, lesson: Lesson) -> LookupStudent:
        """The lesson's student with its table of query weights; one that comes with a table gets a new one."""
        student = LookupStudent(lesson.student, self._context, self._config.max_length)
        weights = table(lesson.corpus, student.tokenizer, student.vocabulary) if self._config.idf else None
        student.weigh(torch.ones(student.vocabulary) if weights is None else weights)
        if self._config.twice:
            student.pooling.activation_function, student.twice = "log1p_relu", True
        return student

    def loss(self, steps: int) -> Loss:
        """KL(softmax(t) ‖ softmax(s)) + λ(step) · FLOPS of the documents, for so many steps."""
        config = self._config

        def penalty(view: View) -> Tensor:
            documents = view.document_vectors
            return config.lambda_d * (grouped_flops(documents) if config.grouped else flops(documents.flatten(0, 1)))

        return regularised(self.ranking, penalty, round(config.ramp * steps))

    def ranking(self, view: View) -> Tensor:
        """KL(softmax(t) ‖ softmax(s)) over each list, t the teacher's scaled scores times a constant."""
        assert view.teacher is not None, "the lists are a teacher's"
        teacher = min_max(view.teacher) if self._config.normalise == "min-max" else view.teacher
        return kl(view.scores, self._config.scale * teacher)


def min_max(scores: Float[Tensor, "queries docs"]) -> Float[Tensor, "queries docs"]:
    """Each list's scores from 0, the lowest, to 1, the highest; 0 where all are equal."""
    lowest, highest = scores.aminmax(dim=1, keepdim=True)
    span = highest - lowest
    return (scores - lowest) / torch.where(span > 0, span, 1.0)

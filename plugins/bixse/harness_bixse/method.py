"""Graded binary cross-entropy over the batch, with a scale and a bias that are learnt."""

import math

import torch
from torch import Tensor, nn

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.lists import Lists
from harness.nn.losses import graded_bce
from harness.nn.mining import Candidates
from harness.nn.students import Student
from harness.nn.taught import scorable, teacher_scores
from harness.nn.view import View
from harness_bixse import Config
from harness_bixse.grades import grades

SCALARS = ("log_scale", "bias")


class Calibrated(nn.Module):
    """The student's model with what turns its similarities into log-odds."""

    def __init__(self, student: nn.Module, scale: float, bias: float) -> None:
        """Start from these; the scale is learnt as its logarithm, to stay above 0."""
        super().__init__()
        self.student = student
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.bias = nn.Parameter(torch.tensor(float(bias)))


class Bixse:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student; scale and bias change no ranking and are left behind.

        Raises:
            SignalError: the teacher gives no scores, or none that can be grades.
        """
        course = Course(lesson=lesson, context=self._context, config=self._config)
        student = course.student()
        self.train(course, student)
        return course.finish(student)

    def train(self, course: Course, student: Student) -> Calibrated:
        """Train a student in this course; what comes back says how likely relevance is, too."""
        config = self._config
        lists = self.lists(course)
        model = Calibrated(student.model, config.scale, config.bias)
        stage = course.stage(
            "train",
            student,
            lambda view: self.loss(view, model),
            lists,
            model=model,
            rates=dict.fromkeys(SCALARS, config.rate),
            frozen=() if config.calibrate else SCALARS,
        )
        course.train([stage])
        return model

    def lists(self, course: Course) -> Lists:
        """The documents that count as graded, with grades that the whole pool of the teacher's scores decides."""
        config, lesson = self._config, course.lesson
        chosen = scorable(lesson, course.candidates)
        found = grades(teacher_scores(lesson, chosen), config.normalise, coarse=config.coarse)
        first = config.graded or chosen.rows.shape[1]
        kept = Candidates(queries=chosen.queries, rows=chosen.rows[:, :first])
        return course.lists(kept, teacher=found[:, :first])

    def loss(self, view: View, model: Calibrated) -> Tensor:
        """The sum over a query's documents, graded ones and those of other lists, averaged over queries."""
        assert view.teacher is not None
        targets = torch.zeros_like(view.relevant, dtype=view.teacher.dtype).masked_scatter(view.own_list, view.teacher)
        graded, others = view.own_list, self.others(view)
        return self._sum(view, model, targets, graded) + self._config.in_batch * self._sum(view, model, targets, others)

    def others(self, view: View) -> Tensor:
        """Documents of other lists that count as not relevant: [queries, all_docs]."""
        if not self._config.mask:
            return ~view.own_list
        in_own = (view.rows.unsqueeze(2) == view.rows.flatten()).any(dim=1)
        return ~(in_own | view.relevant)

    def _sum(self, view: View, model: Calibrated, targets: Tensor, counted: Tensor) -> Tensor:
        if not bool(counted.any()):
            return view.all_scores.new_zeros(())
        mean = graded_bce(view.all_scores, targets, scale=model.log_scale.exp(), bias=model.bias, mask=counted)
        return mean * counted.sum() / len(counted)

"""Mean squared error between the margins of student and teacher."""

from torch import Tensor

from harness.contracts import Context, Lesson, Retriever
from harness.nn.losses import list_margin_mse
from harness.nn.recipe import View, fit
from harness_margin_mse import Config


class MarginMse:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student.

        Raises:
            SignalError: the teacher gives no scores.
        """
        return fit(lesson, self._context, self._config, self.loss, taught=True, form=self._config.form)

    def loss(self, view: View) -> Tensor:
        """The loss of a batch: every negative of a list against the list's positive."""
        assert view.teacher is not None
        return list_margin_mse(self._config.scale * view.scores, view.teacher)

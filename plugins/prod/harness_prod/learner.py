"""The student beside its frozen copy, and the losses of the stages."""

import torch
from jaxtyping import Float
from torch import Tensor

from harness.nn.losses import info_nce, kl
from harness.nn.students import Student
from harness.nn.view import View
from harness_prod import Config


class Learner:
    """A student that remembers what it was when a stage began."""

    def __init__(self, student: Student, copy: Student, config: Config) -> None:
        """Both of one checkpoint; the copy never learns."""
        self.student, self.copy, self._config = student, copy, config
        copy.model.requires_grad_(False)

    def remember(self) -> None:
        """The copy as the student is now."""
        self.copy.model.load_state_dict(self.student.model.state_dict())
        self.copy.model.to(self.student.device)  # one of several processes has another than that it was loaded on
        self.copy.model.eval()

    def labels(self, view: View) -> Tensor:
        """Cross-entropy of the positive among all documents of the batch."""
        return info_nce(self._config.scale * view.all_scores, view.positives, mask=view.candidates)

    def batchwise(self, view: View) -> Tensor:
        """The loss of a dual-encoder teacher: labels and divergence, over all documents of the batch."""
        assert view.teacher_all is not None
        config = self._config
        taught = divergence(config.scale * view.all_scores, config.vector_scale * view.teacher_all, config.temperature)
        return config.label_weight * self.labels(view) + config.teacher_weight * taught

    def listwise(self, view: View) -> Tensor:
        """The loss of any other teacher: labels, divergence and retention, over lists."""
        assert view.teacher is not None
        config, scores = self._config, self._config.scale * view.scores
        labels = info_nce(scores, view.first)
        taught = divergence(scores, view.teacher, config.temperature)
        loss = config.label_weight * labels + config.teacher_weight * taught
        return loss + config.retention_weight * self.retention(view) if config.retention_weight else loss

    def retention(self, view: View) -> Tensor:
        """The divergence from the frozen copy: 0 as long as the student is what it was."""
        with torch.no_grad():
            queries = self.copy.embed([query.text for query in view.queries], "query")
            before = self.copy.lists(queries, self.copy.embed(view.texts, "document"))
        scale = self._config.scale
        return divergence(scale * view.scores, scale * before, self._config.temperature)


def divergence(
    student: Float[Tensor, "queries docs"], teacher: Float[Tensor, "queries docs"], temperature: float
) -> Float[Tensor, ""]:
    """T² KL(softmax(t / T) ‖ softmax(s / T)), mean over queries."""
    return kl(student, teacher, student_temperature=temperature, teacher_temperature=temperature, scale=True)

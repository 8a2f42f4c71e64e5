"""Margins between cosines, regressed on targets that the student's own document vectors give."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from harness.contracts import Context, Lesson, Retriever
from harness.nn.exact import exact
from harness.nn.recipe import View, fit
from harness_adaptive_margins import Config


class AdaptiveMargins:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student; a teacher, if there is one, isn't asked."""
        return fit(lesson, self._context, self._config, self.loss, taught=False)

    def loss(self, view: View) -> Tensor:
        """Mean error between the margins cos(q, d⁺) - cos(q, d⁻) and their targets.

        Source: Gienapp et al. 2025, and the authors' code for the three targets.
        """
        with exact(view.query_vectors, view.document_vectors) as vectors:
            queries, documents = (functional.normalize(part, dim=-1) for part in vectors)
            positives, negatives = documents[:, 0], documents[:, 1:].flatten(0, 1)
            margins = (queries * positives).sum(dim=1, keepdim=True) - queries @ negatives.T
            targets = self._targets(positives @ negatives.T)
        own = _negatives(view, view.own_list)
        if self._config.target == "distributed":  # each margin against the similarities to all positives
            return self._errors(margins[own] - targets).mean()
        counted = _negatives(view, ~view.relevant) if self._config.in_batch else own
        return self._errors((margins - targets)[counted]).mean()

    def _targets(self, similarities: Float[Tensor, "queries negatives"]) -> Float[Tensor, "queries negatives"]:
        """The margins wanted, from cosines between positives and negatives."""
        if self._config.target == "static":
            return torch.full_like(similarities, self._config.margin)
        targets = similarities / 2 + 0.5
        return targets.detach() if self._config.detach_target else targets

    def _errors(self, surplus: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """Of margins minus targets."""
        if self._config.error == "l1":
            return surplus.abs()
        return surplus.pow(2) if self._config.error == "l2" else functional.softplus(-surplus)


def _negatives(view: View, chosen: Bool[Tensor, "queries all_docs"]) -> Bool[Tensor, "queries negatives"]:
    """The columns of the negatives of all lists: documents without each list's positive."""
    queries, docs = view.rows.shape
    return chosen.view(queries, queries, docs)[:, :, 1:].flatten(1)

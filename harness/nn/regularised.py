"""Training of sparse students: a ranking loss, a penalty on what a search costs, and what it costs in the end."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import scipy.sparse as sp
import torch
from jaxtyping import Float64
from torch import Tensor

from harness.contracts import Lesson, Retriever
from harness.nn.course import Course, Loss
from harness.nn.encoders import SparseEncoder
from harness.nn.losses import flops, info_nce, list_margin_mse, ramp
from harness.nn.settings import SpladeConfig
from harness.nn.students import SparseStudent
from harness.nn.view import View

SAMPLE = 512
"""Most queries, and most documents, that the cost of a search is measured on."""


def regularised(ranking: Loss, penalty: Loss, steps: int) -> Loss:
    """The ranking loss and the penalty, whose weight rises quadratically to 1 over so many steps.

    Source: Formal et al., 2021 (arXiv:2109.10086), section 3.
    """
    return lambda view: ranking(view) + ramp(view.step, steps, 1.0) * penalty(view)


def splade(config: SpladeConfig, steps: int) -> Loss:
    """SPLADE's loss: its ranking loss and the FLOPS of queries and of documents.

    Args:
        config: which ranking loss, and the penalties' weights.
        steps: of the training; a share of them is the ramp.

    Source: Formal et al., 2021 (arXiv:2109.10086), equation 4.
    """

    def penalty(view: View) -> Tensor:
        documents = flops(view.document_vectors.flatten(0, 1))
        return config.lambda_q * flops(view.query_vectors) + config.lambda_d * documents

    ranking = contrastive if config.ranking == "contrastive" else margins
    return regularised(ranking, penalty, round(config.ramp * steps))


def contrastive(view: View) -> Tensor:
    """Cross-entropy of the positive among its own list and the positives of the batch.

    Source: Formal et al., 2021 (arXiv:2109.10086), equation 3.
    Differs: positives of the batch that are judged relevant to the query too don't count.
    """
    positives = torch.arange(view.rows.numel(), device=view.rows.device) % view.rows.shape[1] == 0
    counts = (view.own_list | positives) & view.candidates
    return info_nce(view.all_scores, view.positives, mask=counts)


def margins(view: View) -> Tensor:
    """Margin-MSE of every negative of a list against the list's positive."""
    assert view.teacher is not None, "the lists are a teacher's"
    return list_margin_mse(view.scores, view.teacher)


def finish(course: Course, student: SparseStudent) -> Retriever:
    """Keep the trained student, put what its searches cost into the record, and make a retriever of it."""
    course.note("sparsity", lambda: cost(student, course.lesson))
    return course.finish(student)


def cost(student: SparseStudent, lesson: Lesson) -> dict[str, float]:
    """What a search costs: terms a query, terms a document, and the products of weights that an average pair takes.

    Measured on training queries and documents: `flops` is Σ_j P(query has j) P(document has j).

    Source: Formal et al., 2021 (arXiv:2109.10086), section 4, there called FLOPS.
    """
    encoder = SparseEncoder(student.model.eval())
    queries = encoder([lesson.examples[place].query.text for place in _spread(len(lesson.examples))], "query")
    documents = encoder(lesson.corpus.contents(_spread(len(lesson.corpus))), "document")
    first, second = _shares(queries), _shares(documents)
    return {
        "flops": float(first @ second),
        "query_terms": float(first.sum()),
        "document_terms": float(second.sum()),
    }


def _shares(weights: sp.csr_array) -> Float64[np.ndarray, " vocab"]:
    """The share of the texts that have each term."""
    texts, terms = cast(tuple[int, int], weights.shape)  # scipy's annotations leave it open
    return np.bincount(weights.indices, minlength=terms) / texts


def _spread(number: int) -> Sequence[int]:
    """At most `SAMPLE` places out of so many, evenly spaced."""
    return np.linspace(0, number - 1, min(number, SAMPLE), dtype=np.int64).tolist()

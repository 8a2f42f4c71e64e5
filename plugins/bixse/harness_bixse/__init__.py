"""BiXSE: a graded judgement is read as the probability that a document is relevant, pair by pair.

The sigmoid of the scaled and shifted similarity learns that probability by binary cross-entropy, so that one judged
document a query is enough: the other documents of the batch count as not relevant. Scale and shift are learnt too, and
what comes out is calibrated, which a softmax over candidates is not.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, how scores become grades, and how similarities become probabilities."""

    normalise: Literal["minmax", "sigmoid", "none"] = knob(
        "minmax", "teacher scores to grades: between percentiles 1 and 99 of all, by a sigmoid, or as they are"
    )
    coarse: bool = knob(False, "round grades to 0 or 1")
    graded: int = knob(0, "documents of a list that count as graded, from the positive on; 0: all", paper=1, low=0)
    in_batch: float = knob(1.0, "weight of the other lists' documents, whose target is 0", paper=1.0, low=0)
    mask: bool = knob(
        True, "leave out other lists' documents that are judged relevant or graded for the query", paper=False
    )
    scale: float = knob(20.0, "what similarities are multiplied by at first", low=0.001)
    bias: float = knob(-10.0, "what is added to them at first")
    calibrate: bool = knob(True, "learn scale and bias too")
    rate: float = knob(100.0, "factor on the learning rate of scale and bias", low=0.001)


CARD = Card(
    name="bixse",
    kind="distiller",
    summary="Learns graded relevance as a probability, pair by pair; other documents of the batch have grade 0.",
    method="harness_bixse.method:Bixse",
    config=Config,
    family="dense",
    needs=("score",),
    paper=Paper(
        title="BiXSE: Improving Dense Retrieval via Probabilistic Graded Relevance Distillation",
        authors="Tsirigotis, Adlakha, Monteiro, Courville, Taslakian",
        year=2025,
        venue="preprint",
        url="https://arxiv.org/abs/2508.06781",
    ),
    deviations=(
        "Grades are a teacher's scores brought to the range from 0 to 1; the paper's come from a language model that "
        "rates pairs on a scale.",
        "Every document of a list has a grade; graded=1 leaves the positive's, one a query as in the paper, though "
        "the teacher is still asked for all, which percentiles need.",
        "Documents of other lists that are judged relevant to a query, or stand in its own list too, are left out of "
        "its targets of 0: mask=false.",
        "A query's losses are added up and averaged over queries, other documents with the weight of graded ones; "
        "scale is learnt as its logarithm, first values are 20 and -10, for cosines. What the paper does is not "
        "verified.",
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """BiXSE."""
    return [CARD]

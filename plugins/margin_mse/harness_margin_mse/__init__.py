"""Margin-MSE: a student learns by how much the teacher prefers one document to another, not the teacher's scores.

Ranking architectures put their scores on very different scales, so that regressing raw scores harms a student. The
difference between the positive's and the negative's score carries the teacher's opinion without the scale's zero.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Claim, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, and the student's scale."""

    form: Literal["dense", "late-interaction"] = knob("dense", "form of the student", paper="dense")
    scale: float = knob(1.0, "factor on the student's scores; a cosine student can't reach a teacher's margins", low=0)


CARD = Card(
    name="margin-mse",
    kind="distiller",
    summary="Regresses the teacher's score margin between a positive and each negative.",
    method="harness_margin_mse.method:MarginMse",
    config=Config,
    family="dense",
    needs=("score",),
    paper=Paper(
        title="Improving Efficient Neural Ranking Models with Cross-Architecture Knowledge Distillation",
        authors="Hofstätter, Althammer, Schröder, Sertkan, Hanbury",
        year=2020,
        venue="preprint",
        url="https://arxiv.org/abs/2010.02666",
    ),
    deviations=(
        "Triples share a query: each batch has lists of one positive and several negatives, and the loss is the mean "
        "over the pairs of a list; documents=2 gives the paper's triples.",
        "Negatives are drawn from a ranking of ours; the paper's come with MS MARCO's small triples.",
        "The student's pooling and similarity are its checkpoint's; the paper's students use [CLS] and a dot product.",
        "Queries and documents are cut at one length; the paper's have 30 and 200 tokens.",
    ),
    claims=(
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.3251, source="Pyserini, two-click reproductions"),
        Claim(
            dataset="TREC DL 2019",
            measure="nDCG@10",
            value=0.6994,
            source="Pyserini, two-click reproductions (not verified)",
        ),
        Claim(
            dataset="TREC DL 2020",
            measure="nDCG@10",
            value=0.6447,
            source="Pyserini, two-click reproductions (not verified)",
        ),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """Margin-MSE."""
    return [CARD]

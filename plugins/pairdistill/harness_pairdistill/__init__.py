"""PairDistill: beside pointwise scores, a student learns which of two similar documents a teacher prefers.

Pointwise rerankers are unsure about documents of like quality; a pairwise one reads both. So a loss on the probability
that one document beats another is added to listwise distillation and in-batch negatives, and all is repeated with
candidates from the improved student.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Claim, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, the weights of the three losses, and which pairs are compared."""

    form: Literal["dense", "late-interaction"] = knob("dense", "form of the student", paper="late-interaction")
    scale: float | None = knob(
        None,
        "factor on the student's scores; none: 20 for a dense student, whose vectors may be unit ones, else 1",
        low=0,
    )
    temperature: float = knob(1.0, "divides the student's scores in the listwise and pairwise losses", low=1e-6)
    teacher_scale: float = knob(1.0, "factor on the pointwise teacher's scores", low=0)
    point_weight: float = knob(1.0, "weight of the listwise divergence from the pointwise scores", low=0)
    pair_weight: float = knob(3.0, "weight of the pairwise loss; of a dense student 1 in the paper", paper=3.0, low=0)
    contrast_weight: float = knob(1.0, "weight of the cross-entropy with in-batch negatives", low=0)
    window: int = knob(5, "farthest places in pointwise order that are compared", unit="places", low=1)
    pairs: int = knob(16, "pairs compared of each list, at most", unit="pairs", paper=100, low=1)
    rounds: int = knob(1, "times that the student is trained; from the second on with candidates of its own", low=1)


CARD = Card(
    name="pairdistill",
    kind="distiller",
    summary="Adds to listwise distillation a teacher's preferences between documents of like pointwise score.",
    method="harness_pairdistill.method:PairDistill",
    config=Config,
    family="dense",
    needs=("score", "prefer"),
    paper=Paper(
        title="PairDistill: Pairwise Relevance Distillation for Dense Retrieval",
        authors="Huang, Chen",
        year=2024,
        venue="EMNLP",
        url="https://arxiv.org/abs/2410.01383",
    ),
    deviations=(
        "The student is a dense one unless form=late-interaction is chosen; the paper's best is ColBERTv2, trained on.",
        "Pairs are drawn within the candidate list that a batch shows; the paper draws them among the 64 best "
        "candidates and fills the list up with others.",
        "One teacher gives scores and preferences; the paper has a pointwise reranker and a pairwise one.",
        "Each pair is judged in one order, the document with the higher pointwise score first.",
        "One round unless rounds says more; the best models of the released code are of the second. All rounds share "
        "the steps, and the budget of teacher calls.",
        "The listwise divergence is over a query's own list; the paper's dense student has it over all documents of "
        "the batch with those of other queries masked, which is the same.",
        "Documents that are judged relevant to a query are no in-batch negatives of it. A dense student's negatives "
        "are all documents of the batch, as DPR's; a late-interaction one's are other queries', as ColBERTv2's.",
        "λ is 3 for a dense student too, for which the paper has 1: pair_weight=1.",
    ),
    claims=(
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.407, source="paper (not verified)"),
        Claim(dataset="BEIR NQ", measure="nDCG@10", value=0.583, source="repository's BEIR sheet", task="beir:nq"),
        Claim(dataset="BEIR HotpotQA", measure="nDCG@10", value=0.693, source="repository's BEIR sheet"),
        Claim(
            dataset="BEIR SciFact",
            measure="nDCG@10",
            value=0.715,
            source="repository's BEIR sheet",
            task="beir:scifact",
        ),
        Claim(dataset="BEIR Touché", measure="nDCG@10", value=0.258, source="repository's BEIR sheet"),
        Claim(dataset="BEIR ArguAna", measure="nDCG@10", value=0.448, source="repository's BEIR sheet"),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """PairDistill."""
    return [CARD]

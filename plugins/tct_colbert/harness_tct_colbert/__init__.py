"""TCT-ColBERT: a late-interaction teacher that is quick enough to score all pairs of a batch inside the step.

A cross-encoder is too slow for that, so that most distillation uses a few kept scores a query. ColBERT is trained on
the labels first; then a single-vector student learns its distribution over all documents of the batch.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Claim, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, the teacher's part of the steps, and both temperatures."""

    teacher_share: float = knob(0.5, "share of the steps in which the teacher is trained", low=0, high=1)
    teacher_scale: float = knob(4.0, "factor on the teacher's scores: its tokens are unit vectors", paper=1.0, low=0)
    teacher_temperature: float = knob(0.25, "divides the teacher's scores when it teaches: sharper below 1", low=1e-6)
    scale: float = knob(20.0, "factor on the student's scores: its vectors may be unit ones", paper=1.0, low=0)
    label_weight: float = knob(0.0, "weight of the student's own cross-entropy on the labels", low=0)
    start: Literal["teacher", "checkpoint"] = knob(
        "teacher", "whose transformer the student starts from", paper="teacher"
    )


CARD = Card(
    name="tct-colbert",
    kind="distiller",
    summary="Distils ColBERT's distribution over all documents of a batch, scored inside the step, into one vector.",
    method="harness_tct_colbert.method:TctColbert",
    config=Config,
    family="dense",
    paper=Paper(
        title="Distilling Dense Representations for Ranking using Tightly-Coupled Teachers",
        authors="Lin, Yang, Lin",
        year=2020,
        venue="preprint",
        url="https://arxiv.org/abs/2010.11386",
    ),
    deviations=(
        "The teacher is trained from the student's checkpoint within the method's steps; a teacher that the lesson has "
        "is not asked.",
        "The teacher's query tokens are unit vectors, as its document tokens are; the paper leaves query tokens as "
        "they are. teacher_scale makes up for it.",
        "Queries have no mask tokens added, and no '[Q]' or '[D]' before them; pooling and similarity are those of "
        "the student's checkpoint, so that no positions are skipped.",
        "Each query brings one positive and several negatives; documents=2 gives the paper's triples.",
        "In the cross-entropy on labels, documents that are judged relevant to a query are no negatives of it.",
        "Queries and documents are cut at one length; the paper's have 36 and 154 tokens.",
        "Fusion with sparse retrieval is the plugin `fusion`, not part of this one; it scales scores in its own way.",
    ),
    claims=(
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.3350, source="Pyserini reproduction, dense only"),
        Claim(dataset="MS MARCO dev", measure="R@1000", value=0.9640, source="Pyserini reproduction, dense only"),
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.3529, source="Pyserini reproduction, with BM25"),
        Claim(
            dataset="MS MARCO dev",
            measure="RR@10",
            value=0.3647,
            source="Pyserini reproduction, with BM25 on doc2query-T5",
        ),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """TCT-ColBERT."""
    return [CARD]

"""PRP distillation: a language model says which of two passages answers a query better; a student learns from few.

Pairwise prompting ranks well but takes a question for every two documents. Each pair is asked in both orders, so that a
model that favours what stands first prefers nothing; a small sample of pairs, chosen by rank, is enough for a student.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, hookimpl, knob
from harness.nn.settings import EitherConfig
from harness.text.settings import ModelConfig

PAPER = Paper(
    title="Harnessing Pairwise Ranking Prompting Through Sample-Efficient Ranking Distillation",
    authors="Wu et al.",
    year=2025,
    venue="ReNeuIR",
    url="https://arxiv.org/abs/2507.04820",
)


@dataclass(frozen=True, kw_only=True)
class TeacherConfig(ModelConfig):
    """The language model, and what it sees."""

    words: int = knob(300, "where passages and query are cut", unit="words", low=1)
    both_orders: bool = knob(
        True, "ask in both orders and take the mean; false: as asked, for a distiller that asks both itself", paper=True
    )


TEACHER = Card(
    name="prp-distill-teacher",
    kind="teacher",
    summary="A language model chooses the better of two passages, asked in both orders.",
    method="harness_prp_distill.teacher:build",
    config=TeacherConfig,
    family="reranker",
    paper=PAPER,
    gives=("prefer",),
    deviations=(
        "The prompt is worded anew.",
        "Of an endpoint that tells no probabilities the text is read: 1 or 0 where both orders agree, else 0.5.",
        "The query is cut as passages are, both also at ten characters a word for scripts without blanks, and all are "
        "halved until a local model can read the prompt.",
    ),
)


SamplerName = Literal["uniform", "rank-weighted", "rank-diff"]


@dataclass(frozen=True, kw_only=True)
class Config(EitherConfig):
    """The student recipe's knobs, which pairs are asked about, and what the student is."""

    documents: int = knob(8, "documents a query: one positive, the rest negatives", unit="documents", paper=100, low=2)
    sampler: SamplerName = knob("rank-weighted", "which pairs of a list are likelier to be asked about")
    rate: float = knob(0.25, "share of a list's pairs that is asked about; at least one", paper=0.02, low=0, high=1)
    both_orders: bool = knob(True, "ask about each pair in both orders and take the mean", paper=True)
    soft: bool = knob(
        True,
        "take the teacher's probabilities; false: 1, 0, or 0.5 where the orders disagree, which a teacher shows that "
        "hears one at a time (prp-distill-teacher with both_orders=false)",
    )
    scale: float | None = knob(
        None, "factor on the student's scores; none: 20 for a dense student, else 1", paper=1, low=0
    )


CARD = Card(
    name="prp-distill",
    kind="distiller",
    summary="Learns from a few pairs of each candidate list, each judged by the teacher in both orders.",
    method="harness_prp_distill.method:PrpDistillation",
    config=Config,
    family="dense",
    needs=("prefer",),
    paper=PAPER,
    deviations=(
        "The student is a bi-encoder unless form=reranker; the paper's is a pointwise ranker that reads query and "
        "document together.",
        "Lists are the harness's, with a judged positive among negatives drawn from the first stage's ranking; the "
        "paper takes the first stage's top 100 and no judgements. Which one is the positive is not told.",
        "The paper's formulas for samplers that favour the top are not known to us: rank-weighted and rank-diff are "
        "our reading. rate is of lists of 8 documents by default, hence larger.",
        "The loss is the mean over the pairs of a batch; the paper's is their sum.",
        "Each order of a pair is a question of its own to the teacher and counted as one; a teacher that hears both "
        "orders by itself is asked twice for the same.",
    ),
)


@hookimpl
def harness_teachers() -> list[Card]:
    """Pairwise ranking prompting."""
    return [TEACHER]


@hookimpl
def harness_distillers() -> list[Card]:
    """Its distillation."""
    return [CARD]

"""Cross-encoder: query and document are read together, so that every token of one sees every token of the other.

Slow, since nothing can be computed before the query is known; hence a teacher, or the second stage of a cascade. Any
sentence-transformers CrossEncoder checkpoint with one output will do; one can be trained on labels, which teaches it to
tell relevant documents from those that a first stage ranks high.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, Use, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which checkpoint, and how it reads."""

    model: str = knob("cross-encoder/ms-marco-MiniLM-L6-v2", "CrossEncoder checkpoint", checkpoint=True)
    max_length: int | None = knob(
        None, "where query and document together are cut; none: the checkpoint's own", unit="tokens", paper=512, low=1
    )
    batch: int = knob(32, "pairs scored at once", unit="pairs", low=1)
    precision: Literal["float32", "bfloat16"] = knob("float32", "in which matrices are multiplied, but for the last")


@dataclass(frozen=True, kw_only=True)
class LabelsConfig(StudentConfig):
    """The student recipe's knobs, the loss, and what the trained model reranks."""

    loss: Literal["softmax", "pointwise"] = knob(
        "softmax", "the positive against its whole list, or each pair by itself, as relevant or not"
    )
    first: Use = knob("bm25", "finds the documents that are reranked", nested="retriever")
    depth: int = knob(
        100, "how many of them are reranked; those below are left out", unit="documents", paper=1000, low=1
    )


CARD = Card(
    name="cross-encoder",
    kind="teacher",
    summary="Scores query and document together with a CrossEncoder checkpoint.",
    method="harness_cross_encoder.method:CrossEncoderTeacher",
    config=Config,
    family="reranker",
    paper=Paper(
        title="Passage Re-ranking with BERT",
        authors="Nogueira, Cho",
        year=2019,
        venue="arXiv",
        url="https://arxiv.org/abs/1901.04085",
    ),
    gives=("score", "features"),
    deviations=(
        "The score is the checkpoint's one output before any activation, not a probability.",
        "The longer of query and document is cut first, as the tokeniser does by itself; the paper cuts queries at 64.",
        "The query's text alone is read, without history or instruction.",
    ),
)

LABELS = Card(
    name="cross-encoder-labels",
    kind="distiller",
    summary="Trains a cross-encoder on labels, each positive against the negatives of its list, to rerank or to teach.",
    method="harness_cross_encoder.labels:CrossEncoderLabels",
    config=LabelsConfig,
    family="reranker",
    paper=Paper(
        title="Rethink Training of BERT Rerankers in Multi-Stage Retrieval Pipeline",
        authors="Gao, Dai, Callan",
        year=2021,
        venue="ECIR",
        url="https://arxiv.org/abs/2101.08751",
    ),
    deviations=(
        "The head is that of the library's sequence classifier with one output, drawn from the seed where the "
        "checkpoint has none.",
        "loss=pointwise is the earlier recipe (Nogueira and Cho, 2019), with one output and a sigmoid instead of two "
        "and a softmax, and as the mean over pairs; each batch has more negatives than positives.",
        "Negatives are drawn from the ranking of one retriever (option negatives), which need not be the first stage.",
        "The first stage searches when the model does, and its cost counts; no stored run is taken, since the same "
        "retriever may have to mine negatives for training queries.",
    ),
)


@hookimpl
def harness_teachers() -> list[Card]:
    """The cross-encoder."""
    return [CARD]


@hookimpl
def harness_distillers() -> list[Card]:
    """The cross-encoder trained on labels."""
    return [LABELS]

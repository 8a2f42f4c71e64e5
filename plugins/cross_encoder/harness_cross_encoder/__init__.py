"""Cross-encoder: query and document are read together, so that every token of one sees every token of the other.

Slow, since nothing can be computed before the query is known; hence a teacher, or the second stage of a cascade. Any
sentence-transformers CrossEncoder checkpoint with one output will do.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which checkpoint, and how it reads."""

    model: str = knob("cross-encoder/ms-marco-MiniLM-L6-v2", "CrossEncoder checkpoint", checkpoint=True)
    max_length: int | None = knob(
        None, "where query and document together are cut; none: the checkpoint's own", unit="tokens", paper=512, low=1
    )
    batch: int = knob(32, "pairs scored at once", unit="pairs", low=1)
    precision: Literal["float32", "bfloat16"] = knob("float32", "in which matrices are multiplied, but for the last")


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


@hookimpl
def harness_teachers() -> list[Card]:
    """The cross-encoder."""
    return [CARD]

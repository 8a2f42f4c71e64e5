"""Homomorphic projective distillation: a small student imitates a teacher's embeddings after PCA has shortened them.

A learnt projection on the student's pooled vector meets the shortened target directly, so that model and vectors become
small in one step; PCA nearly keeps the inner products, so that what the student imitates still ranks as the teacher.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, and those of the targets and of the projection."""

    dim: int = knob(128, "length of the student's vectors, at most the teacher's", unit="dimensions", paper=128, low=1)
    targets: Literal["pca", "random", "teacher"] = knob(
        "pca", "what shortens the teacher's vectors; teacher: nothing, dim is theirs", paper="pca"
    )
    tanh: bool = knob(True, "whether the projection ends in a tanh, which can't go beyond 1", paper=True)
    scale: float = knob(1.0, "factor on the targets: keeps those of a teacher without unit vectors below 1", low=0)
    sample: int = knob(40_000, "vectors that PCA is computed from", unit="texts", paper=40_000, low=2)
    head_rate: float = knob(
        20.0, "the projection's factor on the learning rate: it starts from chance", paper=1.0, low=0
    )


CARD = Card(
    name="hpd",
    kind="distiller",
    summary="Regresses the teacher's embeddings, shortened by PCA, onto a projection of the student's.",
    method="harness_hpd.method:Hpd",
    config=Config,
    family="dense",
    needs=("embed",),
    paper=Paper(
        title="Compressing Sentence Representation for Semantic Retrieval via Homomorphic Projective Distillation",
        authors="Zhao et al.",
        year=2022,
        venue="Findings of ACL",
        url="https://arxiv.org/abs/2203.07687",
    ),
    deviations=(
        "The texts are the queries and documents of the candidate lists, in batches of whole lists; the paper takes "
        "the sentences of AllNLI, augmented if wanted. A document of many lists is seen more often.",
        "As in the released code, components are those of centred vectors and are applied without taking the mean off.",
        "The projection learns faster than the encoder (head_rate), as a budget is a few hundred steps.",
        "A checkpoint's own normalisation of its vectors is left out in front of the projection.",
        "The paper's figures are rank correlations on sentence pairs (STS, average: 0.818 for MiniLM-L6 at 128 "
        "dimensions), no measure of retrieval, so that none stands beside ours.",
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """Homomorphic projective distillation."""
    return [CARD]

"""Adaptive relevance margins: how far a negative must stay behind is told by how much it resembles the positive.

The student is its own teacher: what it thinks of two documents sets the margin that it must learn between them. A
negative that is close to the positive gets a large one, so that hard negatives count most without being mined; no
teacher is asked and no margin is tuned.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, and which margin is demanded."""

    target: Literal["static", "adaptive", "distributed"] = knob(
        "distributed", "a constant; the negative's similarity to its positive; to every positive of the batch"
    )
    margin: float = knob(0.5, "the constant of target=static; the paper tries 0.1 to 1.0", low=0, high=2)
    error: Literal["l1", "l2", "soft"] = knob("l2", "absolute, squared, or log(1 + exp(target - margin))")
    in_batch: bool = knob(False, "take the negatives of all lists for every query; not with target=distributed")
    detach_target: bool = knob(False, "let no gradient through the target", paper=False)

    def __post_init__(self) -> None:
        """Refuse what the paper has no loss for.

        Raises:
            ValueError: distributed targets for in-batch margins.
        """
        if self.in_batch and self.target == "distributed":
            raise ValueError(
                "option 'in_batch' expects false with target=distributed, got true; or take target=adaptive"
            )


CARD = Card(
    name="adaptive-margins",
    kind="distiller",
    summary="Demands a score margin of each negative that grows with its similarity to the positive; no teacher.",
    method="harness_adaptive_margins.method:AdaptiveMargins",
    config=Config,
    family="dense",
    paper=Paper(
        title="Learning Effective Representations for Retrieval Using Self-Distillation with Adaptive Relevance "
        "Margins",
        authors="Gienapp et al.",
        year=2025,
        venue="ICTIR",
        url="https://arxiv.org/abs/2407.21515",
    ),
    deviations=(
        "Triples share a query: each list has a positive and several negatives; documents=2 gives the paper's triples.",
        "In-batch margins compare each query with its own positive; the released code subtracts a matrix from a row, "
        "so that a negative of one query is set against the positive of another.",
        "In-batch negatives that are judged relevant to a query are left out; the paper has no judgements beyond its "
        "triples.",
        "AdamW with the recipe's schedule and a fixed number of steps; the paper takes 8-bit Adam at 5e-7 and stops "
        "early on TREC DL 2020.",
        "Queries and documents are cut at one length; the paper's have 20 and 200 tokens.",
        "The student's pooling is its checkpoint's; the paper takes the pooler's output or the first token.",
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """Adaptive relevance margins."""
    return [CARD]

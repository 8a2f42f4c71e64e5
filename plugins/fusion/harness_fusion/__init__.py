"""Fusion: one ranking out of those of several retrievers.

By reciprocal rank, a document gets 1 / (k + rank) from every ranking that has it; scores play no part. Linear fusion
adds scores instead, brought to the range from 0 to 1 within each query and ranking.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, Use, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which retrievers, and how their rankings are added up."""

    parts: tuple[Use, ...] = knob(help="retrievers to fuse, separated by commas", nested="retriever")
    method: Literal["reciprocal-rank", "linear"] = knob("reciprocal-rank", "add up reciprocal ranks or scaled scores")
    k: int = knob(60, "what is added to each rank before its reciprocal is taken", paper=60, low=0)
    weights: tuple[float, ...] = knob((), "one a part, in their order; none: all alike", low=0)
    depth: int = knob(1000, "how far down each ranking is read", unit="documents", paper=1000, low=1)

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        if len(self.parts) < 2:
            raise ValueError(f"option 'parts' expects at least two retrievers, got {len(self.parts)}")
        if self.weights and (len(self.weights) != len(self.parts) or not any(self.weights)):
            raise ValueError(
                f"option 'weights' expects {len(self.parts)} weights, one a part, not all 0, got {self.weights}"
            )


CARD = Card(
    name="fusion",
    kind="retriever",
    summary="Adds up the reciprocal ranks, or scaled scores, that several retrievers give a document.",
    method="harness_fusion.method:Fusion",
    config=Config,
    family="ensemble",
    paper=Paper(
        title="Reciprocal Rank Fusion Outperforms Condorcet and Individual Rank Learning Methods",
        authors="Cormack, Clarke, Büttcher",
        year=2009,
        venue="SIGIR",
        url="https://doi.org/10.1145/1571941.1572114",
    ),
    first_stages=("parts",),
    deviations=(
        "A document that a part doesn't rank, down to depth, gets nothing from it, as in the paper.",
        "method=linear is not the paper's: scores are scaled from 0 (the last document read) to 1 (the first) within "
        "each query and part; a document that a part doesn't rank counts as its last; where all scores of a ranking "
        "are equal they count as 1.",
        "Weights are not in the paper, which weighs all rankings alike, as we do unless they are given.",
    ),
)


@hookimpl
def harness_retrievers() -> list[Card]:
    """Fusion."""
    return [CARD]

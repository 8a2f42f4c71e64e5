"""Ensemble: one teacher out of several, whose scores are combined query by query.

Plain means need scores of one scale. Min-max scaling and reciprocal ranks don't, but what they give a document depends
on which other documents of the query are scored in the same call.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, Use, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which teachers, and how their scores are combined."""

    parts: tuple[Use, ...] = knob(help="teachers that give scores, separated by commas", nested="teacher")
    method: Literal["mean", "min-max", "reciprocal-rank"] = knob(
        "mean",
        "mean of the scores, of the scores scaled from 0 to 1 within the query, or of 1 / (k + rank) within the query",
        paper="mean",
    )
    k: int = knob(60, "what is added to each rank before its reciprocal is taken", paper=60, low=0)

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        if len(self.parts) < 2:
            raise ValueError(f"option 'parts' expects at least two teachers, got {len(self.parts)}")


CARD = Card(
    name="ensemble",
    kind="teacher",
    summary="Combines the scores of several teachers into one.",
    method="harness_ensemble.method:Ensemble",
    config=Config,
    family="ensemble",
    paper=Paper(
        title="Improving Efficient Neural Ranking Models with Cross-Architecture Knowledge Distillation",
        authors="Hofstätter, Althammer, Schröder, Sertkan, Hanbury",
        year=2020,
        venue="arXiv",
        url="https://arxiv.org/abs/2010.02666",
    ),
    gives=("score",),
    deviations=(
        "Only method=mean is the paper's.",
        "With min-max and reciprocal-rank a pair's score depends on the query's other documents in the same call: ask "
        "for all candidates of a query at once, and don't mix scores from several calls.",
        "Documents that a part scores alike share the best of their ranks.",
    ),
)


@hookimpl
def harness_teachers() -> list[Card]:
    """The ensemble."""
    return [CARD]

"""Bradley-Terry: scores are strengths, and the stronger of two wins with the logistic function of their difference.

Lets a teacher that scores documents one by one stand in where pairs or whole lists are judged, at the price of scores;
and what is distilled from such preferences can be checked, since the scores behind them are known.
"""

from dataclasses import dataclass

from harness import Card, Paper, Use, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """Whose scores, and how sure they make of a preference."""

    scores: Use = knob(help="teacher that scores", nested="teacher")
    scale: float = knob(1.0, "factor on scores: cosines lie too near each other to be strengths", low=0)


CARD = Card(
    name="bradley-terry",
    kind="teacher",
    summary="Turns a scoring teacher into one that prefers and orders.",
    method="harness_bradley_terry.method:BradleyTerry",
    config=Config,
    family="reranker",
    paper=Paper(
        title="Rank Analysis of Incomplete Block Designs: I. The Method of Paired Comparisons",
        authors="Bradley, Terry",
        year=1952,
        venue="Biometrika",
        url="https://doi.org/10.2307/2334029",
    ),
    gives=("score", "prefer", "order"),
    deviations=("Strengths are taken from a teacher; the paper estimates them from the outcomes of comparisons.",),
)


@hookimpl
def harness_teachers() -> list[Card]:
    """Bradley-Terry."""
    return [CARD]

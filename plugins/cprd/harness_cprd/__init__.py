"""CPRD: of a cross-encoder's scores the order of the hard negatives is what a dual encoder can learn; nothing else.

A cross-encoder's scores crowd together where a dual encoder's spread out, and the order of documents that are far off
says nothing. So the student finds its own hard negatives, the teacher puts them in order, and each of them is the
positive of a contrastive loss against all that come after it.
"""

from dataclasses import dataclass

from harness import Card, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, and which negatives are put in order."""

    hard: int = knob(16, "the student's nearest negatives in the batch, among which the order counts", low=0)
    valid: int = knob(4, "of these the teacher's best, whose order is learnt; others are easy; 0: contrastive", low=0)
    temperature: float = knob(0.05, "divides the student's cosines", low=0.001)
    ranking_weight: float = knob(1.0, "of the ranking loss beside the contrastive one", low=0)
    symmetric: bool = knob(True, "the contrastive loss also finds the query of a document", paper=True)
    queue: int = knob(0, "documents of earlier batches that are negatives too, by a momentum encoder", low=0)
    momentum: float = knob(0.995, "share of its weights that the momentum encoder keeps in a step", low=0, high=1)


CARD = Card(
    name="cprd",
    kind="distiller",
    summary="A contrastive loss that repeats the teacher's order of the student's own hard negatives.",
    method="harness_cprd.method:Cprd",
    config=Config,
    family="dense",
    needs=("score",),
    paper=Paper(
        title="How to Make Cross Encoder a Good Teacher for Efficient Image-Text Retrieval?",
        authors="Chen et al.",
        year=2024,
        venue="CVPR",
        url="https://arxiv.org/abs/2407.07479",
    ),
    deviations=(
        "Queries and documents are texts with one encoder; the paper's are images and texts with an encoder each.",
        "The teacher scores the frozen lists only: documents of other lists that are among the student's nearest are "
        "easy negatives, while the paper asks the teacher for all of them.",
        "Which hard negatives are relevant enough to be put in order isn't known of the paper: here the teacher's best "
        "`valid` of them, so that nothing but order counts.",
        "The ranking loss goes from queries to documents only; for a document the teacher has scored no other queries.",
        "Temperature, weight, number of hard negatives and momentum are ours: the paper's values aren't verified.",
        "The queue is off unless asked for, and holds documents, none of which is ever put in order. Each of "
        "several processes remembers its own, and a resumed training goes on with the first one's.",
        "Documents of the batch that are judged relevant to a query are no negatives of it.",
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """CPRD."""
    return [CARD]

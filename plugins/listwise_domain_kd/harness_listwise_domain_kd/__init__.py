"""Listwise distillation: a strong encoder specialises in a domain by a teacher's distribution over lists, not labels.

Fine-tuned on positives and mined negatives alone, an encoder that is already good often gets worse: many of the
negatives are relevant. The teacher's graded scores of each list say which; a little contrast with the other documents
of the batch, from which those are left out, keeps the whole space in order.
"""

from dataclasses import dataclass

from harness import Card, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, both losses, and how teacher scores are brought to the range from 0 to 1."""

    list_weight: float = knob(1.0, "weight of the divergence from the teacher over each list", paper=1.0, low=0)
    contrastive_weight: float = knob(0.1, "weight of the contrastive loss over the batch", paper=0.1, low=0)
    student_temperature: float = knob(0.05, "divides the student's scores over a list", paper=0.05, low=0.001)
    teacher_temperature: float = knob(0.3, "divides the teacher's scores", paper=0.3, low=0.001)
    contrastive_temperature: float = knob(0.01, "divides the student's scores over the batch", paper=0.01, low=0.001)
    threshold: float = knob(
        0.6, "documents that the teacher scores above this share of a list's best are no negatives", paper=0.6, low=0
    )
    mask_judged: bool = knob(True, "documents judged relevant to a query are no negatives either", paper=False)
    low_percentile: float = knob(1.0, "the teacher's score that becomes 0", unit="percent", paper=1.0, low=0, high=100)
    high_percentile: float = knob(99.0, "the one that becomes 1", unit="percent", paper=99.0, low=0, high=100)

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        if self.list_weight == self.contrastive_weight == 0:
            raise ValueError("options 'list_weight' and 'contrastive_weight' are both 0: expected one above 0")
        if self.low_percentile >= self.high_percentile:
            raise ValueError(
                f"option 'low_percentile' expects less than 'high_percentile', {self.high_percentile}, "
                f"got {self.low_percentile}"
            )


CARD = Card(
    name="listwise-domain-kd",
    kind="distiller",
    summary="Learns a teacher's distribution over each list, with a little contrast that leaves out likely positives.",
    method="harness_listwise_domain_kd.method:ListwiseDomainKd",
    config=Config,
    family="dense",
    needs=("score",),
    paper=Paper(
        title="Teaching Dense Retrieval Models to Specialize with Listwise Distillation and LLM Data Augmentation",
        authors="Tamber, Kazi, Sourabh, Lin",
        year=2025,
        venue="preprint",
        url="https://arxiv.org/abs/2502.19712",
    ),
    deviations=(
        "Trained on the queries that the task has; queries written by a language model, and their filter, are "
        "harness.nn.synthetic's.",
        "The positive comes from the labels and need not be the teacher's first; the paper keeps queries only where it "
        "is. The threshold is a share of the list's best score, whichever document has it.",
        "Negatives are drawn from a window of ranks of one retriever, 7 unless documents=20 is asked for; the paper "
        "keeps the 20 best of the student's own ranking.",
        "Documents that are judged relevant to a query are left out of its contrastive loss too: mask_judged=false.",
        "A document of a query's own list that the teacher scores high is left out wherever it stands in the batch.",
        "Queries and documents are cut at one length; the paper's have 64 and 512 tokens.",
        "A fixed number of steps without early stopping, dropout as the checkpoint has it, and batches of 16 queries "
        "(chunk and accumulate make larger ones); the paper takes 4,096 queries a step and no dropout.",
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """Listwise distillation for a domain."""
    return [CARD]

"""PROD: teachers get stronger stage by stage, and at the end the data gets harder.

A teacher that is far ahead of its student can teach less than a weaker one, so a chain of them is climbed. The last
stage keeps to queries that the teacher answers right and the student nearly right. A frozen copy of the student, taken
when a stage begins, holds on to what was learnt before.
"""

from dataclasses import dataclass

from harness import Card, Claim, Paper, Use, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, the chain of teachers, the weights of the losses, and the stages' shares."""

    chain: tuple[Use, ...] = knob((), "weaker teachers that teach before the lesson's, in this order", nested="teacher")
    scale: float = knob(20.0, "factor on the student's scores: its vectors may be unit ones", paper=1.0, low=0)
    vector_scale: float = knob(20.0, "factor on the dot products of a teacher that is a dual encoder", paper=1.0, low=0)
    temperature: float = knob(4.0, "divides all scores where distributions are compared", paper=4.0, low=1e-6)
    label_weight: float = knob(0.1, "weight of the cross-entropy on labels", paper=0.1, low=0)
    teacher_weight: float = knob(0.9, "weight of the divergence from the teacher", paper=0.9, low=0)
    retention_weight: float = knob(1.0, "weight of the divergence from the frozen copy", paper=1.0, low=0)
    warm_share: float = knob(0.2, "share of the steps on labels alone; 0: no such stage", low=0, high=1)
    confusing_share: float = knob(
        0.1, "share of the steps on queries that are nearly answered right; 0: no such stage", low=0, high=1
    )
    confusing_rate: float = knob(0.2, "factor on the learning rate in that stage", paper=0.2, low=1e-6)
    depth: int = knob(15, "worst rank of the positive among the student's of a query in that stage", paper=15, low=2)
    refresh: bool = knob(True, "whether the student mines the negatives of every teacher but the first", paper=True)

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        if self.warm_share + self.confusing_share >= 1:
            shares = f"{self.warm_share} and {self.confusing_share}"
            raise ValueError(f"warm_share and confusing_share expect to leave steps for teachers, got {shares}")
        if self.depth < self.documents - 1:
            raise ValueError(f"depth expects at least documents − 1 ({self.documents - 1}), got {self.depth}")


CARD = Card(
    name="prod",
    kind="distiller",
    summary="Climbs a chain of ever stronger teachers, then trains on what the student gets nearly right.",
    method="harness_prod.method:Prod",
    config=Config,
    family="dense",
    needs=("score",),
    paper=Paper(
        title="PROD: Progressive Distillation for Dense Retrieval",
        authors="Lin, Gong, Liu, Zhang, Lin, Dong, Jiao, Lu, Jiang, Majumder, Duan",
        year=2023,
        venue="WWW",
        url="https://arxiv.org/abs/2209.13335",
    ),
    deviations=(
        "Teachers are frozen plugins, the lesson's last; the paper trains each on negatives of the stage before.",
        "Without `chain` there is one teacher, and the teachers' progress is left out.",
        "A teacher whose scores are dot products of its vectors teaches over all documents of the batch, any other "
        "over lists.",
        "The student is the lesson's, with its own pooling and similarity; the paper's has the first layers of its "
        "teacher and takes [CLS].",
        "Before the first refresh all stages learn from the frozen lists, whose negatives are drawn once: the paper "
        "mines with its first teacher and draws 15 of 100 anew.",
        "A first teacher that is no dual encoder has the retention loss too.",
        "Negatives are refreshed with the student; the paper takes the dual-encoder teacher after the first stages.",
        "One round on confusing queries, as in the released script. Where no query is chosen, all of them are taken, "
        "and the record says so.",
        "In losses over all documents of a batch, documents that are judged relevant to a query are no negatives of "
        "it for the labels.",
    ),
    claims=(
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.393, source="README, 6-layer student"),
        Claim(dataset="MS MARCO dev", measure="R@1000", value=0.984, source="README, 6-layer student"),
        Claim(dataset="NQ test", measure="R@20", value=0.847, source="README, 6-layer student"),
        Claim(dataset="NQ test", measure="R@1", value=0.576, source="README, 6-layer student"),
        Claim(dataset="MS MARCO document dev", measure="RR@10", value=0.428, source="README, 6-layer student"),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """PROD."""
    return [CARD]

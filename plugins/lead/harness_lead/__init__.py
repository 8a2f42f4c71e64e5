"""LEAD: layers of a teacher teach layers of a student by how they rank, whatever their widths.

Hidden states can only be compared where width and tokeniser agree. Each layer, though, ranks the documents of a list,
and rankings can always be compared: layers of teacher and student are drawn and paired at random, and a layer of the
teacher counts by how well it ranks.
"""

from dataclasses import dataclass

from harness import Card, Claim, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, and how layers are drawn and weighed."""

    layers: int = knob(5, "layers paired at a time, at most as many as both have; 0: none", paper=5, low=0)
    refresh: int = knob(10, "optimiser steps until layers are drawn anew", unit="steps", paper=10, low=1)
    weighting: float = knob(10.0, "temperature of the teacher's layer weights; large: all alike", paper=10, low=0.001)
    scale: float = knob(20.0, "factor on the student's scores, of all layers", paper=1, low=0)
    temperature: float = knob(1.0, "divides the teacher's scores, of all layers", paper=1, low=0.001)
    label_weight: float = knob(1.0, "of the cross-entropy of the positive", paper=1, low=0)
    response_weight: float = knob(1.0, "of the divergence of final scores", paper=1, low=0)
    layer_weight: float = knob(1.0, "of the divergence of layers", paper=1, low=0)
    warm_up: float = knob(
        0.5,
        "share of the steps in which the student is warmed up by labels alone",
        paper="a training of its own",
        low=0,
        high=0.9,
    )


CARD = Card(
    name="lead",
    kind="distiller",
    summary="Aligns how randomly paired layers of teacher and student rank a list; good layers count more.",
    method="harness_lead.method:Lead",
    config=Config,
    family="dense",
    needs=("features",),
    paper=Paper(
        title="LEAD: Liberal Feature-based Distillation for Dense Retrieval",
        authors="Sun et al.",
        year=2024,
        venue="WSDM",
        url="https://arxiv.org/abs/2212.05225",
    ),
    deviations=(
        "The teacher is frozen: its layers' scores are stored signals. The released scripts train it along with the "
        "student, by labels and through all terms.",
        "The teacher scores pairs, so that the distributions are over a query's own list; those of the paper's dual "
        "encoder and ColBERT teachers are over all documents of a batch.",
        "The final score of the teacher is that of its last layer.",
        "The student's layers are pooled and compared as its last one is (mostly mean and cosine, hence `scale`); the "
        "paper takes the dot product of [CLS].",
        "The student is warmed up by labels, against the documents of the batch, in a share of the steps; the teacher "
        "is as it comes. Negatives are drawn from a ranking of ours, not from that of a dual encoder trained before.",
        "Where one model has fewer layers than are to be paired, all of its layers are.",
    ),
    claims=(
        Claim(
            dataset="MS MARCO dev",
            measure="RR@10",
            value=0.404,
            source="table of the authors' repository; 24-layer ColBERT to 12-layer dual encoder",
        ),
        Claim(
            dataset="MS MARCO dev",
            measure="R@1000",
            value=0.99,
            source="table of the authors' repository; 24-layer ColBERT to 12-layer dual encoder",
        ),
        Claim(
            dataset="MS MARCO dev",
            measure="RR@10",
            value=0.378,
            source="table of the authors' repository; 12-layer ColBERT to 6-layer dual encoder",
        ),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """LEAD."""
    return [CARD]

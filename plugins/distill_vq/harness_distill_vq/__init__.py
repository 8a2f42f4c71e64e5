"""Distill-VQ: an index of a few bytes a document learns to rank as the vectors that it stands for.

A document's vector becomes the centroid of a list and one codeword for each part of what remains. Centroids and
codewords usually minimise the error of the vectors; here a teacher's inner products, which are free, say how documents
rank, and a listwise loss between teacher and reconstructed vectors moves them, whatever that does to the error.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Claim, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, and those of the index and of what it learns from."""

    lists: int = knob(
        32, "centroids; each document belongs to the nearest", unit="lists", paper=10_000, low=1, high=65536
    )
    parts: int = knob(16, "parts of a vector with codewords of their own; divides its length", paper=64, low=1)
    bits: int = knob(8, "bits that name a codeword: 2 to this power for each part", unit="bits", paper=8, low=1, high=8)
    probes: int = knob(0, "lists that are searched for a query; 0: all", unit="lists", paper=100, low=0)
    rotate: bool = knob(True, "turn vectors first so that parts lose least (OPQ)", paper=True)
    sample: int = knob(10_000, "documents that the index is started from", unit="documents", low=1)
    signal: Literal["teacher", "self"] = knob(
        "teacher",
        "whose vectors' products rank: the lesson's teacher's, or the student's own before training",
        paper="self",
    )
    dense_share: float = knob(0.5, "share of the steps that first make the student dense", paper=0.0, low=0, high=0.99)
    train_queries: bool = knob(True, "whether the query encoder learns with the index", paper=True)
    in_batch: bool = knob(True, "whether the other queries' documents count as well", paper=True)
    loss: Literal["listnet", "kl", "mse", "margin-mse", "ranknet"] = knob("listnet", "between scores", paper="listnet")
    temperature: float = knob(0.05, "divides the student's scores; its vectors are unit vectors", paper=1.0, low=1e-6)
    teacher_temperature: float = knob(0.05, "divides the teacher's scores", paper=1.0, low=1e-6)
    choice_temperature: float = knob(0.01, "divides distances to codewords in the backward pass", paper=1.0, low=1e-6)
    ivf_weight: float = knob(1.0, "weight of the loss of the centroids alone", paper=1, low=0)
    pq_weight: float = knob(1.0, "weight of the loss of centroids with codewords", paper=1, low=0)
    dense_weight: float = knob(1.0, "weight of the loss of the vectors as they are", paper=1, low=0)
    ivf_rate: float = knob(1e-3, "peak learning rate of the centroids", paper=1e-3, low=1e-9)
    pq_rate: float = knob(1e-4, "peak learning rate of the codewords", paper=1e-4, low=1e-9)

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        if self.signal == "self" and self.dense_share:
            raise ValueError("signal=self expects dense_share=0: a student can't be made dense by its own scores")
        if not self.learning_rate:
            raise ValueError("option 'learning_rate' expects more than 0; train_queries=false leaves the encoder alone")
        if self.probes > self.lists:
            raise ValueError(f"option 'probes' expects at most the {self.lists} lists, got {self.probes}")


CARD = Card(
    name="distill-vq",
    kind="distiller",
    summary="Learns an inverted file of product-quantised vectors that ranks as a teacher's vectors do.",
    method="harness_distill_vq.method:DistillVq",
    config=Config,
    family="dense",
    needs=("embed",),
    paper=Paper(
        title="Distill-VQ: Learning Retrieval Oriented Vector Quantization By Distilling Knowledge from Dense "
        "Embeddings",
        authors="Xiao et al.",
        year=2022,
        venue="SIGIR",
        url="https://arxiv.org/abs/2204.00185",
    ),
    deviations=(
        "The paper compresses a dense retriever that is trained already, which is its own teacher. Here the first half "
        "of the steps makes the lesson's student dense by the same loss against the lesson's teacher, whose scores "
        "teach the index too; dense_share=0 with signal=self takes the student as it comes, as the paper does.",
        "A query's documents are those of the frozen candidate lists, and of the other lists of the batch; the paper "
        "draws them from the teacher's 200 best.",
        "The index is started by k-means of our own in place of FAISS, and searched in full unless probes says how "
        "many lists.",
        "As in the released code, the dense student's own loss is added while the query encoder learns.",
        "Temperatures sharpen the scores of unit vectors, and the distances between them in the straight-through "
        "choice; the paper has raw products.",
        "A new document's list is that of the nearest starting centroid, as it is for documents of the training.",
        "RankNet's pairs are not weighted.",
    ),
    claims=(
        Claim(
            dataset="MS MARCO dev",
            measure="RR@10",
            value=0.3607,
            source="the paper, AR2-G vectors; table not looked up",
        ),
        Claim(
            dataset="MS MARCO dev",
            measure="R@100",
            value=0.8719,
            source="the paper, AR2-G vectors; table not looked up",
        ),
        Claim(dataset="NQ", measure="RR@10", value=0.6235, source="the paper; table not looked up"),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """Distill-VQ."""
    return [CARD]

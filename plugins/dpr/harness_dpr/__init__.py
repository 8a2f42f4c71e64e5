"""DPR: two encoders learn from labels alone that a question lies nearest to its passage among all of the batch.

Each question's positive competes with its own hard negatives and with the positives and negatives of every other
question, which cost nothing more to encode. No teacher is asked: what distillers gain, they gain over this student.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Claim, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, its towers, and the softmax."""

    temperature: float = knob(0.05, "divides the student's scores; of dot products: 1", paper=1.0, low=0.001)
    among: Literal["batch", "positives", "list"] = knob(
        "batch", "what a positive is found among: all documents of the batch, its positives, or the query's own list"
    )
    mask: bool = knob(True, "leave out documents that are judged relevant to the query", paper=False)
    towers: Literal["two", "shared"] = knob("two", "an encoder each for queries and documents, or one for both")


PAPER = Paper(
    title="Dense Passage Retrieval for Open-Domain Question Answering",
    authors="Karpukhin, Oğuz, Min, Lewis, Wu, Edunov, Chen, Yih",
    year=2020,
    venue="EMNLP",
    url="https://arxiv.org/abs/2004.04906",
)
RECALLED = "as recalled, not verified: NQ test, retriever trained on NQ"
README = "readme of the released code, not verified: own hard negatives"

CARD = Card(
    name="dpr",
    kind="distiller",
    summary="Learns from labels: a softmax of the positive among all documents of the batch, hard negatives included.",
    method="harness_dpr.method:Dpr",
    config=Config,
    family="dense",
    paper=PAPER,
    deviations=(
        "The student's pooling and similarity are its checkpoint's, mostly the mean and the cosine, which needs a "
        "temperature; the paper takes [CLS] and a dot product without one.",
        "Hard negatives are drawn from a window of ranks; the paper takes the best of BM25 that lacks the answer: "
        "documents=2, last_rank=1.",
        "Documents that are judged relevant to a query are left out of its softmax; mask=false counts them as "
        "negatives, as the paper does.",
        "One round of training; the later recipe of the released code mines again with its own index and starts anew: "
        "negatives=dense with the first round's student.",
        "No reader and no mixture with BM25 (plugin fusion adds scores up); positives come from labels only, not from "
        "passages that contain an answer.",
        "A passage's title and text are joined by a blank; the paper's by [SEP].",
        "A checkpoint that has two towers already keeps them, and towers=shared is then refused.",
    ),
    claims=(
        Claim(
            dataset="Natural Questions test", measure="Success@20", value=0.784, source=f"paper, table 2, {RECALLED}"
        ),
        Claim(
            dataset="Natural Questions test", measure="Success@100", value=0.854, source=f"paper, table 2, {RECALLED}"
        ),
        Claim(dataset="Natural Questions test", measure="Success@20", value=0.8133, source=README),
        Claim(dataset="Natural Questions test", measure="Success@100", value=0.8729, source=README),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """DPR."""
    return [CARD]

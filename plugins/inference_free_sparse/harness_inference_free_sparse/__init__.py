"""Sparse retrieval without a model for queries: a query is the set of its tokens, weighted by how rare they are.

Only documents are encoded, as SPLADE does it. With IDF in the score the ranking loss protects rare tokens from the
sparsity penalty, which doesn't see it, and frequent ones go. An ensemble of teachers of different kinds, each scaled
from 0 to 1 within a list, says what is relevant.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, the queries' table, the teacher's scale and the penalty."""

    idf: bool = knob(True, "query tokens weigh by the training corpus's IDF; false: 1 each")
    idf_rate: float = knob(0.0, "factor on the learning rate at which the table learns; 0: it is fixed", low=0)
    twice: bool = knob(False, "documents' weights are log1p of log1p, as in the follow-up paper's models")
    normalise: Literal["min-max", "none"] = knob(
        "min-max", "the teacher's scores of a list, scaled from 0 to 1; none: for an ensemble that has done so"
    )
    scale: float = knob(30.0, "factor on them: an inverse temperature", paper="30; pre-training: 10", low=0)
    lambda_d: float = knob(0.02, "weight of the FLOPS penalty of documents", paper="0.02; pre-training: 1e-7", low=0)
    grouped: bool = knob(True, "average first, second, … documents of the lists apart in the penalty; false: together")
    ramp: float = knob(1 / 3, "share of the steps in which the penalty rises quadratically from 0", low=0, high=1)


CARD = Card(
    name="inference-free-sparse",
    kind="distiller",
    summary="Trains a sparse encoder of documents for queries that are only tokenised and looked up in an IDF table.",
    method="harness_inference_free_sparse.method:InferenceFreeSparse",
    config=Config,
    family="sparse",
    needs=("score",),
    paper=Paper(
        title="Towards Competitive Search Relevance For Inference-Free Learned Sparse Retrievers",
        authors="Geng, Wang, Ru, Yang",
        year=2024,
        venue="preprint",
        url="https://arxiv.org/abs/2411.04403",
    ),
    presets={
        "ensemble": {"normalise": "none"},
        "pre-training": {
            "normalise": "none",
            "documents": "8",
            "scale": "10",
            "lambda_d": "1e-7",
            "learning_rate": "5e-5",
            "batch": "48",
        },
        "fine-tuning": {
            "normalise": "none",
            "documents": "11",
            "scale": "30",
            "lambda_d": "0.02",
            "learning_rate": "2e-5",
            "batch": "40",
        },
    },
    deviations=(
        "IDF is that of the lesson's corpus, log(1 + (N - df + 0.5) / (df + 0.5)); the paper's table is MS MARCO's.",
        "A token that no document has weighs as one with df = 0; the released table leaves such tokens out.",
        "The teacher is the lesson's: an ensemble of a dense and a sparse part with method=min-max is the paper's, "
        "which the presets expect; without a preset another teacher's scores are scaled here.",
        "The teacher scores each query's own list, not the whole row of the batch, which the paper's code can too.",
        "The two stages are two trainings, by the presets pre-training and fine-tuning (--student trained:LESSON).",
        "Special tokens have no weight in a query, [UNK] among them.",
        "FLOPS are measured on at most 512 training queries and 512 documents.",
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """Inference-free sparse retrieval."""
    return [CARD]

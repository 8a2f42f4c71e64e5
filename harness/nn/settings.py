"""Knobs that every student shares, so that methods differ in what is theirs; nothing heavy is imported."""

from dataclasses import dataclass
from typing import Literal

from harness.card import Use, knob


@dataclass(frozen=True, kw_only=True)
class StudentConfig:
    """What the student recipe takes; a method's Config adds its own knobs to these."""

    negatives: Use = knob("bm25", "ranks the documents that negatives are drawn from", nested="retriever")
    first_rank: int = knob(1, "best rank of a negative, relevant documents not counted", unit="rank", low=1)
    last_rank: int = knob(100, "worst rank of a negative", unit="rank", low=1)
    documents: int = knob(8, "documents a query: one positive, the rest negatives", unit="documents", low=2)
    draw: int = knob(0, "seed of the candidate lists, apart from the evaluation's: all seeds see the same lists", low=0)
    batch: int = knob(16, "queries a batch", unit="queries", low=1)
    accumulate: int = knob(1, "batches an optimiser step", unit="batches", low=1)
    chunk: int = knob(0, "texts encoded at once with gradient caching; 0: all of a batch", unit="texts", low=0)
    steps: int | None = knob(
        None,
        "optimiser steps in all, inside the budget; none: all that it has, 300 if it has no limit",
        unit="steps",
        low=1,
    )
    learning_rate: float = knob(5e-5, "peak of the schedule", low=0)
    warmup: float = knob(0.1, "share of the steps in which the learning rate rises", low=0, high=1)
    max_length: int = knob(128, "longer texts are cut, in training and afterwards", unit="tokens", low=1)
    precision: Literal["no", "bf16", "fp16"] = knob("no", "mixed precision of the training; no: fp32")


UNLIMITED_STEPS = 300
"""Optimiser steps where neither the option nor the budget says how many."""
COSINE_SCALE = 20.0
"""Factor on a dense student's scores: cosines lie too near each other for a softmax or a logistic loss."""


def scale_of(form: str, given: float | None) -> float:
    """The factor on a student's scores that was given, else what its form needs."""
    if given is not None:
        return given
    return COSINE_SCALE if form == "dense" else 1.0


@dataclass(frozen=True, kw_only=True)
class EitherConfig(StudentConfig):
    """What methods take beside these that train a single-vector student or one that reranks."""

    form: Literal["dense", "reranker"] = knob("dense", "what the student is", paper="reranker")
    first: Use = knob("bm25", "finds what a reranker reads", nested="retriever")
    depth: int = knob(100, "how much of that it reads", unit="documents", paper=100, low=1)


@dataclass(frozen=True, kw_only=True)
class SpladeConfig(StudentConfig):
    """What methods that train SPLADE's encoder share beside these."""

    ranking: Literal["margin-mse", "contrastive"] = knob(
        "margin-mse", "learn the teacher's margins, or (without a teacher) the labels"
    )
    lambda_q: float = knob(0.01, "weight of the FLOPS penalty of queries", paper="0.5; contrastive: 3e-4", low=0)
    lambda_d: float = knob(0.01, "weight of the FLOPS penalty of documents", paper="0.4; contrastive: 1e-4", low=0)
    ramp: float = knob(1 / 3, "share of the steps in which both rise quadratically from 0", paper=1 / 3, low=0, high=1)

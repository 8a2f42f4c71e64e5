"""SPLADE++: what distillation, mined negatives and a better start, known from dense students, bring to a sparse one.

The encoder is SPLADE's. A first student may find the negatives that a fresh one then learns from, both taught by the
same cross-encoder; or the negatives come from several retrievers. A FLOPS penalty trades quality for cost.
"""

from dataclasses import dataclass

from harness import Card, Claim, Paper, hookimpl, knob
from harness.nn.settings import SpladeConfig

_DISTIL = {"ranking": "margin-mse", "lambda_q": "0.5", "lambda_d": "0.4"}


@dataclass(frozen=True, kw_only=True)
class Config(SpladeConfig):
    """The knobs of sparse students, and who finds the negatives."""

    rounds: int = knob(1, "2: a fresh student learns from negatives that the first one finds", low=1, high=2)
    first: float = knob(0.5, "share of the steps that the first of two rounds gets", low=0, high=1)


CARD = Card(
    name="splade-pp",
    kind="distiller",
    summary="Trains SPLADE on a teacher's margins over negatives that an earlier student or several retrievers find.",
    method="harness_splade_pp.method:SpladePp",
    config=Config,
    family="sparse",
    needs=("score",),
    paper=Paper(
        title="From Distillation to Hard Negative Sampling: Making Sparse Neural IR Models More Effective",
        authors="Formal, Lassance, Piwowarski, Clinchant",
        year=2022,
        venue="SIGIR",
        url="https://arxiv.org/abs/2205.04733",
    ),
    presets={
        "baseline": {"ranking": "contrastive", "lambda_q": "3e-4", "lambda_d": "1e-4"},
        "distil-mse": _DISTIL,
        "self-distil": _DISTIL | {"rounds": "2"},
        "ensemble-distil": _DISTIL
        | {
            "negatives": "fusion",
            "negatives.parts": "bm25,dense",
            "negatives.parts.dense.model": "sentence-transformers/all-MiniLM-L6-v2",
        },
    },
    deviations=(
        "Both rounds of self-distil share the steps and the teacher calls of one training; the paper trains each in "
        "full.",
        "The same teacher scores both rounds; in the paper the first learns from published scores of an ensemble.",
        "Negatives of several retrievers come from their fused ranking, not so many from each; the preset fuses a "
        "lexical and a dense one, the paper many dense and sparse ones: name them by negatives.parts.",
        "Each batch has lists of one positive and several negatives; documents=2 gives the paper's triples.",
        "In the contrastive loss a positive of the batch that is judged relevant to a query is no negative of it.",
        "The coCondenser scenarios are the same with that checkpoint as the student.",
        "Training ends with the last step; the paper keeps the checkpoint that is best on a part of the dev set.",
        "FLOPS are measured on at most 512 training queries and 512 documents.",
    ),
    claims=(
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.340, source="released code, README: baseline"),
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.368, source="released code, README: DistilMSE"),
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.376, source="README: coCondenser, SelfDistil"),
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.383, source="README: coCondenser, EnsembleDistil"),
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.372, source="README: the last, on one 16 GB GPU"),
        Claim(dataset="BEIR, 13 sets", measure="nDCG@10", value=0.505, source="about 0.50 to 0.51; not verified"),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """SPLADE++."""
    return [CARD]

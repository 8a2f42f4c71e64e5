"""SPLADE v2: a text's weight for a term is the largest that any of its tokens gives; a teacher's margins train it.

A masked language model expands texts with terms that are not in them; a penalty on the products that a search takes
keeps the vectors sparse. Where only documents are encoded, a query is the set of its word pieces, which costs nothing.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Claim, Paper, hookimpl, knob
from harness.nn.settings import SpladeConfig


@dataclass(frozen=True, kw_only=True)
class Config(SpladeConfig):
    """The knobs of sparse students, and what becomes of a query."""

    variant: Literal["max", "doc"] = knob("max", "max encodes queries too; doc takes the set of their word pieces")


CARD = Card(
    name="splade-v2",
    kind="distiller",
    summary="Trains a sparse encoder with max pooling on a teacher's margins, with a penalty on a search's cost.",
    method="harness_splade_v2.method:SpladeV2",
    config=Config,
    family="sparse",
    needs=("score",),
    paper=Paper(
        title="SPLADE v2: Sparse Lexical and Expansion Model for Information Retrieval",
        authors="Formal, Lassance, Piwowarski, Clinchant",
        year=2021,
        venue="preprint",
        url="https://arxiv.org/abs/2109.10086",
    ),
    presets={
        "max": {"ranking": "contrastive", "lambda_q": "3e-4", "lambda_d": "1e-4"},
        "doc": {"variant": "doc", "ranking": "contrastive", "lambda_q": "0", "lambda_d": "1e-4"},
        "distil": {"ranking": "margin-mse", "lambda_q": "0.5", "lambda_d": "0.4"},
    },
    deviations=(
        "One round: the paper's second, on negatives that the first student finds, is splade-pp's self-distil.",
        "Each batch has lists of one positive and several negatives; documents=2 gives the paper's triples.",
        "In the contrastive loss a positive of the batch that is judged relevant to a query is no negative of it.",
        "The teacher is the lesson's; the paper trains a cross-encoder of its own.",
        "Training ends with the last step; the paper keeps the checkpoint that is best on a part of the dev set.",
        "No term is cut off after training and weights are not quantised; the export of the released code does it.",
        "FLOPS are measured on at most 512 training queries and 512 documents.",
    ),
    claims=(
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.340, source="released code, README: max"),
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.368, source="released code, README: distilled"),
        Claim(dataset="MS MARCO dev", measure="R@1000", value=0.979, source="LEAD's repository: distilled"),
        Claim(dataset="TREC DL 2019", measure="nDCG@10", value=0.729, source="LEAD's repository: distilled"),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """SPLADE v2."""
    return [CARD]

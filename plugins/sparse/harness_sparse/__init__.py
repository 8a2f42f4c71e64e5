"""Learned sparse retrieval: a masked language model gives each text a weight for every term of its vocabulary.

Most weights are 0, so documents can be searched through posting lists as words are, but a text also has terms that are
not written in it. Search is exact unless Seismic is asked for.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """All but the model comes from the checkpoint unless it is given."""

    model: str = knob(help="hub id, folder or pip:<distribution> of a SparseEncoder", checkpoint=True)
    max_length: int | None = knob(None, "longer texts are cut; none: the checkpoint's", unit="tokens", low=1)
    max_active_terms: int | None = knob(None, "keep the heaviest so many of each text", unit="terms", low=1)
    index: Literal["exact", "seismic"] = knob(
        "exact",
        "exact: all lists of a query's terms are read; seismic: approximately, their most promising blocks, with "
        "weights in half precision (package pyseismic-lsr)",
    )
    query_prompt: str = knob("checkpoint", "text put before each query; checkpoint: its own")
    document_prompt: str = knob("checkpoint", "text put before each document; checkpoint: its own")


@hookimpl
def harness_retrievers() -> list[Card]:
    """Learned sparse retrieval."""
    return [
        Card(
            name="sparse",
            kind="retriever",
            summary="Ranks documents by shared terms, weighted and expanded by a masked language model.",
            method="harness_sparse.method:build",
            config=Config,
            family="sparse",
            paper=Paper(
                title="SPLADE v2: Sparse Lexical and Expansion Model for Information Retrieval",
                authors="Formal, Lassance, Piwowarski and Clinchant",
                year=2021,
                url="https://arxiv.org/abs/2109.10086",
            ),
            deviations=("Takes checkpoints as they are; what they were trained on is theirs to say.",),
        )
    ]

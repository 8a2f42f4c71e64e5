"""Dense retrieval: one encoder turns queries and documents into vectors, and the nearest documents are the answer.

Takes any sentence-transformers checkpoint, or a transformers encoder, whose token vectors are then averaged. Search is
exact.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """All but the model comes from the checkpoint unless it is given."""

    model: str = knob(help="hub id, folder or pip:<distribution>", checkpoint=True)
    max_length: int | None = knob(None, "longer texts are cut; none: the checkpoint's", unit="tokens", low=1)
    pooling: Literal["checkpoint", "mean", "cls", "max", "lasttoken", "weightedmean"] = knob(
        "checkpoint", "how token vectors become one"
    )
    truncate_dim: int | None = knob(None, "keep the first so many of a vector", unit="dimensions", low=1)
    similarity: Literal["checkpoint", "cosine", "dot"] = knob("checkpoint", "how vectors are compared")
    query_prompt: str = knob("checkpoint", "text put before each query; checkpoint: its own")
    document_prompt: str = knob("checkpoint", "text put before each document; checkpoint: its own")


@hookimpl
def harness_retrievers() -> list[Card]:
    """Dense retrieval."""
    return [
        Card(
            name="dense",
            kind="retriever",
            summary="Ranks documents by how near their vectors lie to the query's, from one encoder for both.",
            method="harness_dense.method:build",
            config=Config,
            family="dense",
            paper=Paper(
                title="Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks",
                authors="Reimers and Gurevych",
                year=2019,
                venue="EMNLP",
                url="https://arxiv.org/abs/1908.10084",
            ),
            deviations=("Takes checkpoints as they are; what they were trained on is theirs to say.",),
        )
    ]

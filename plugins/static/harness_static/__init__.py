"""Static embeddings: a text's vector is the mean of its tokens' vectors, looked up in a table, with no network at all.

The cheapest neural baseline: what a contextual encoder adds is what it scores above this.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """All but the model comes from the checkpoint unless it is given."""

    model: str = knob(help="hub id, folder or pip:<distribution> of a StaticEmbedding", checkpoint=True)
    truncate_dim: int | None = knob(None, "keep the first so many of a vector", unit="dimensions", low=1)
    similarity: Literal["checkpoint", "cosine", "dot"] = knob("checkpoint", "how vectors are compared")


@hookimpl
def harness_retrievers() -> list[Card]:
    """Static embeddings."""
    return [
        Card(
            name="static",
            kind="retriever",
            summary="Ranks documents by the mean of their tokens' vectors, looked up in a table.",
            method="harness_static.method:build",
            config=Config,
            family="static",
            paper=Paper(
                title="GloVe: Global Vectors for Word Representation",
                authors="Pennington, Socher and Manning",
                year=2014,
                venue="EMNLP",
                url="https://aclanthology.org/D14-1162",
            ),
            deviations=("The mean is not weighted by word frequency unless the checkpoint's vectors are.",),
        )
    ]

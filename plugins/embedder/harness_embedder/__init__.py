"""An embedding model as a teacher: scores a document by its vector's similarity to the query's, and gives the vectors.

Stronger than its students, usually by being larger, and cheap as teachers go: a document is encoded once, however many
queries it is scored for.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """All but the model comes from the checkpoint unless it is given."""

    model: str = knob(help="hub id, folder or pip:<distribution>", checkpoint=True)
    max_length: int | None = knob(None, "longer texts are cut; none: the checkpoint's", unit="tokens", low=1)
    truncate_dim: int | None = knob(None, "keep the first so many of a vector", unit="dimensions", low=1)
    similarity: Literal["checkpoint", "cosine", "dot"] = knob("checkpoint", "how vectors are compared")
    query_prompt: str = knob("checkpoint", "text put before each query; checkpoint: its own")
    document_prompt: str = knob("checkpoint", "text put before each document; checkpoint: its own")
    precision: Literal["float32", "bfloat16"] = knob("float32", "in which matrices are multiplied; vectors are float32")


@hookimpl
def harness_teachers() -> list[Card]:
    """The embedder."""
    return [
        Card(
            name="embedder",
            kind="teacher",
            summary="Scores by the similarity of two vectors from an embedding model, and gives the vectors.",
            method="harness_embedder.method:EmbedderTeacher",
            config=Config,
            family="dense",
            gives=("score", "embed"),
            paper=Paper(
                title="Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks",
                authors="Reimers and Gurevych",
                year=2019,
                venue="EMNLP",
                url="https://arxiv.org/abs/1908.10084",
            ),
            deviations=("The paper trains the model; here it only teaches.",),
        )
    ]

"""Late interaction: a vector a token, and every token of the query looks for its nearest token in the document.

A document's score is the sum of these similarities, so that a match of single words isn't lost in one vector for the
whole text. Search is exact, over all tokens of all documents: no pruning, no compression.
"""

from dataclasses import dataclass

from harness import Card, Paper, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """All but the model comes from the checkpoint unless it is given."""

    model: str = knob(help="hub id, folder or pip:<distribution> of a MultiVectorEncoder", checkpoint=True)
    untrained: bool = knob(
        False,
        "take a dense checkpoint that was never trained for this: unit vectors of its tokens, without a projection",
    )
    query_length: int | None = knob(None, "longer queries are cut; none: the checkpoint's", unit="tokens", low=1)
    document_length: int | None = knob(None, "longer documents are cut; none: the checkpoint's", unit="tokens", low=1)
    query_prompt: str = knob("checkpoint", "text put before each query; checkpoint: its own")
    document_prompt: str = knob("checkpoint", "text put before each document; checkpoint: its own")


@hookimpl
def harness_retrievers() -> list[Card]:
    """Late interaction."""
    return [
        Card(
            name="late-interaction",
            kind="retriever",
            summary="Ranks documents by the sum, over the query's tokens, of the similarity to the nearest token.",
            method="harness_late_interaction.method:build",
            config=Config,
            family="late-interaction",
            paper=Paper(
                title="ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT",
                authors="Khattab and Zaharia",
                year=2020,
                venue="SIGIR",
                url="https://arxiv.org/abs/2004.12832",
            ),
            deviations=(
                "Scores every document with all its tokens at full precision; the paper reranks, or searches an "
                "approximate index first.",
            ),
        )
    ]

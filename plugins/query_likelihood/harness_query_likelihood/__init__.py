"""Query likelihood: a document is relevant to the degree that a language model expects the query after reading it.

The score is the mean log-probability of the query's tokens, each given prompt, document and the tokens before it.
Nothing is trained. Scores compare documents of one query; those of two queries have no common scale.
"""

from dataclasses import dataclass

from harness import Card, Paper, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """The language model and how it is asked."""

    model: str = knob("HuggingFaceTB/SmolLM2-135M-Instruct", "causal language model", checkpoint=True)
    prompt: str = knob(
        "Passage: {document}\nQuestion this passage answers: {query}",
        "what is read; {query} comes last, with the blank before it",
        paper="Passage: {document}. Please write a question based on this passage. {query}",
    )
    max_length: int = knob(512, "where documents are cut", unit="tokens", low=1)

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        first, mark, rest = self.prompt.partition("{query}")
        if not mark or rest or first.count("{document}") != 1:
            raise ValueError(
                "option 'prompt' expects {document} once and {query} at the end, as in 'Passage: {document} Question: "
                f"{{query}}', got {self.prompt!r}"
            )


CARD = Card(
    name="query-likelihood",
    kind="teacher",
    summary="Scores a document by how probable a causal language model finds the query after it.",
    method="harness_query_likelihood.method:QueryLikelihood",
    config=Config,
    family="reranker",
    paper=Paper(
        title="Improving Passage Retrieval with Zero-Shot Question Generation",
        authors="Sachan, Lewis, Joshi, Aghajanyan, Yih, Pineau, Zettlemoyer",
        year=2022,
        venue="EMNLP",
        url="https://arxiv.org/abs/2204.07496",
    ),
    gives=("score",),
    deviations=(
        "A causal language model with a prompt that suits one without instruction tuning; the paper's best is T0, an "
        "encoder-decoder of 3 or 11 billion parameters.",
        "A document is cut at max_length tokens; document and query each get at most half of what the model reads.",
        "The query's text alone is scored, without history or instruction.",
    ),
)


@hookimpl
def harness_teachers() -> list[Card]:
    """Query likelihood."""
    return [CARD]

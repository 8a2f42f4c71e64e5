"""Cascade: a quick retriever finds candidates, a slow teacher puts the best of them in order.

What the teacher sees is the first stage's top `depth`; it can reorder these and nothing else. The teacher may give
scores, an order, or preferences between two documents.
"""

from dataclasses import dataclass

from harness import Card, Paper, Use, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """First stage, teacher, and how much the teacher sees."""

    base: Use = knob("bm25", "first stage", nested="retriever")
    teacher: Use = knob(help="what reranks", nested="teacher")
    depth: int = knob(100, "how many of the first stage's documents are reranked", unit="documents", low=1)
    keep_rest: bool = knob(True, "keep the first stage's documents below depth, under all reranked ones")


CARD = Card(
    name="cascade",
    kind="retriever",
    summary="A teacher reranks the best documents of a named retriever.",
    method="harness_cascade.method:Cascade",
    config=Config,
    family="reranker",
    paper=Paper(
        title="A Cascade Ranking Model for Efficient Ranked Retrieval",
        authors="Wang, Lin, Metzler",
        year=2011,
        venue="SIGIR",
        url="https://doi.org/10.1145/2009916.2009934",
    ),
    first_stages=("base",),
    deviations=(
        "Two stages; the paper learns how many, which features each uses and where each cuts.",
        "Documents below depth follow the reranked ones in the first stage's order, so that recall at more than depth "
        "is the first stage's; reranking papers often leave them out: keep_rest=false.",
        "Of a teacher that gives several signals the first of score, order, prefer is used. Preferences are asked once "
        "for each two documents and added up: depth 100 takes 4,950 a query.",
    ),
)


@hookimpl
def harness_retrievers() -> list[Card]:
    """The cascade."""
    return [CARD]

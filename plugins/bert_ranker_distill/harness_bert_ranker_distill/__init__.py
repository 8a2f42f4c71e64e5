"""BERT rankers under distillation: in which order a small cross-encoder should learn from a large one.

It may learn how the teacher represents text, how the teacher ranks, or both. Representations first and rankings
afterwards (procedure C) is what keeps the quality; rankings alone (A) and representations followed by labels (B) are
what it is compared with.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Paper, Use, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, the procedure, and the weights of its losses."""

    procedure: Literal["A", "B", "C"] = knob(
        "C", "A: ranker distillation; B: representations, then labels; C: representations, then ranker distillation"
    )
    first: Use = knob("bm25", "finds the documents that are reranked", nested="retriever")
    depth: int = knob(100, "how many of them are", unit="documents", paper=1000, low=1)
    share: float = knob(0.5, "of the steps that B and C spend on representations", low=0, high=1)
    prediction: Literal["ce", "mse"] = knob("ce", "how a score follows the teacher's: cross-entropy or squared error")
    temperature: float = knob(1.0, "divides both scores in the cross-entropy", low=0.001)
    alignment: float = knob(1.0, "weight of the representations while rankings are learnt", low=0)
    hidden_weight: float = knob(1.0, "of hidden states among representations", paper=1, low=0)
    attention_weight: float = knob(1.0, "of attention, where the teacher gives it", paper=1, low=0)
    embedding_weight: float = knob(1.0, "of embeddings, where the teacher gives them", paper=1, low=0)
    projection_rate: float = knob(10.0, "factor on the learning rate of projections", paper=1, low=0.001)


CARD = Card(
    name="bert-ranker-distill",
    kind="distiller",
    summary="Teaches a small cross-encoder a large one's representations first, then its scores.",
    method="harness_bert_ranker_distill.method:BertRankerDistill",
    config=Config,
    family="reranker",
    needs=("score", "features"),
    paper=Paper(
        title="Understanding BERT Rankers Under Distillation",
        authors="Gao, Dai, Callan",
        year=2020,
        venue="ICTIR",
        url="https://arxiv.org/abs/2007.11088",
    ),
    deviations=(
        "Representations are the fine-tuned ranker's, of training pairs; the paper distils the pre-trained BERT on "
        "general text first. So B learns something of the ranker too.",
        "Of hidden states those of [CLS] are aligned, which teachers give as the feature `cls`; the paper aligns all "
        "tokens.",
        "Attention logits and embeddings are aligned where the teacher gives the features `attention` and `embeddings` "
        "and shares the student's tokeniser and number of heads; the cross-encoder teacher gives neither.",
        "Where layers don't divide, the student's layer m learns from the teacher's ⌈m N / M⌉.",
        "One logit a pair: the cross-entropy is that of a logistic function, not of a softmax over two classes.",
        "The student is the lesson's checkpoint with a new head, not one of TinyBERT's shapes; projections have no "
        "bias and begin as identities.",
        "The student's speed beside the teacher's isn't measured; the board has each one's seconds a query.",
        "The number of steps is fixed and divided between the stages, so that all procedures cost the same.",
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """BERT ranker distillation."""
    return [CARD]

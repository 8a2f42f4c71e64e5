"""RankGPT: a language model reads a query with numbered passages and writes down the numbers, most relevant first.

A list longer than the model reads is put in order by a window that slides from its end to its start: the best of each
window are carried into the next, so that one pass brings the best documents of the whole list to the top. A student
that scores documents one by one learns from such orders alone, without judgements.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Claim, Paper, hookimpl, knob
from harness.nn.settings import EitherConfig
from harness.text.settings import ModelConfig

PAPER = Paper(
    title="Is ChatGPT Good at Search? Investigating Large Language Models as Re-Ranking Agents",
    authors="Sun, Yan, Ma, Wang, Ren, Chen, Yin, Ren",
    year=2023,
    venue="EMNLP",
    url="https://arxiv.org/abs/2304.09542",
)


@dataclass(frozen=True, kw_only=True)
class Config(ModelConfig):
    """The language model, and the window it sees."""

    window: int = knob(20, "passages that are put in order at once", unit="documents", paper=20, low=2)
    step: int = knob(10, "how far the window moves", unit="documents", paper=10, low=1)
    words: int = knob(300, "where passages and query are cut", unit="words", paper=300, low=1)

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        super().__post_init__()
        if self.step > self.window:
            raise ValueError(f"option 'step' expects at most the window's {self.window} documents, got {self.step}")


CARD = Card(
    name="rankgpt",
    kind="teacher",
    summary="A language model writes the order of numbered passages; a window slides over longer lists.",
    method="harness_rankgpt.method:build",
    config=Config,
    family="reranker",
    paper=PAPER,
    gives=("order",),
    deviations=(
        "The prompt is worded anew and is one message; the released code gives each passage a turn of its own.",
        "The last window begins at the list's start; the released code stops before it where the list's length doesn't "
        "come out even, and asks nothing at all about a list shorter than a window.",
        "The query is cut as passages are, both also at ten characters a word for scripts without blanks, and all are "
        "halved until a local model can read the prompt.",
        "A number in square brackets inside a passage is put in round ones, so that it can't pass for a passage's.",
    ),
)

LossName = Literal["ranknet", "listnet", "lambda", "rmse", "bce", "softmax"]


@dataclass(frozen=True, kw_only=True)
class DistilConfig(EitherConfig):
    """The student recipe's knobs, the loss, and what the student is."""

    documents: int = knob(8, "documents a query: one positive, the rest negatives", unit="documents", paper=20, low=2)
    loss: LossName = knob("ranknet", "between the student's scores and the teacher's order", paper="ranknet")
    scale: float | None = knob(
        None, "factor on the student's scores; none: 20 for a dense student but with rmse, else 1", paper=1, low=0
    )
    bias: float = knob(0.0, "added to the scaled scores; only rmse and bce see it")
    temperature: float = knob(1.0, "listnet: divides 1/rank before the softmax", paper=1, low=0.001)
    mu: float = knob(10.0, "lambda: weight of the bound that uses the distance of ranks; 0: LambdaRank", low=0)


DISTILLER = Card(
    name="rankgpt-distill",
    kind="distiller",
    summary="Learns the order into which a language model puts candidate lists, by one of six ranking losses.",
    method="harness_rankgpt.distil:PermutationDistillation",
    config=DistilConfig,
    family="dense",
    needs=("order",),
    paper=PAPER,
    deviations=(
        "The student is a bi-encoder unless form=reranker; the paper's are cross-encoders of DeBERTa and LLaMA.",
        "Lists are the harness's, with a judged positive among negatives drawn from the first stage's ranking; the "
        "paper takes the first 20 passages of BM25 and no judgements. Which one is the positive is not told.",
        "lambda is weighted as NDCG-Loss2++ of Wang et al. (CIKM 2018); in the released code its weights are all 1 by "
        "default, which is ranknet up to a factor.",
        "The optimiser, its schedule and the batches are the harness's; the paper takes one query a batch, eight "
        "batches a step, and three epochs over 10,000 queries.",
    ),
    claims=(
        Claim(
            dataset="BEIR, average of 8",
            measure="nDCG@10",
            value=0.530,
            source="DeBERTa-large taught by ChatGPT; from memory, not verified",
        ),
    ),
)


@hookimpl
def harness_teachers() -> list[Card]:
    """RankGPT."""
    return [CARD]


@hookimpl
def harness_distillers() -> list[Card]:
    """Permutation distillation."""
    return [DISTILLER]

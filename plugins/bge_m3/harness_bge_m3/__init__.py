"""BGE-M3: one encoder compares texts in three ways, and what the three say together teaches each of them.

A vector of the whole text, a weight for each of its words, and a vector a token give a score each. Their weighted sum
ranks better than any of the three, so that it can be their teacher: no other model is needed.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Claim, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, those of the three heads, and those of the search."""

    weights: tuple[float, ...] = knob(
        (1.0, 0.3, 1.0), "of the dense, lexical and multi-vector scores in their sum", paper="1,0.3,1", low=0
    )
    temperature: float = knob(0.02, "divides all scores in training", low=1e-6)
    lexical: float = knob(0.1, "weight of the lexical head's losses; the others' is 1", low=0)
    self_distil: bool = knob(True, "let the sum of the scores teach each of them")
    start: int = knob(0, "optimiser step at which self-distillation begins", unit="steps", low=0)
    detach_target: bool = knob(True, "the sum does not learn from those that it teaches")
    outside: bool = knob(False, "learn from a teacher's scores instead of the labels; needs a teacher that scores")
    teacher_temperature: float = knob(1.0, "divides that teacher's scores", low=1e-6)
    head_rate: float = knob(10.0, "factor on the learning rate of the two new heads", paper=1, low=1e-6)
    pooling: Literal["checkpoint", "cls"] = knob("checkpoint", "how token vectors become one", paper="cls")
    output: Literal["dense", "sparse", "multi", "hybrid"] = knob("hybrid", "what the retriever ranks by")
    depth: int = knob(
        0,
        "hybrid: compute the sum only for the best so many by each of dense and sparse; 0: for all documents",
        unit="documents",
        paper=1000,
        low=0,
    )
    mcls: int = knob(
        0, "in search, a further [CLS] every so many tokens of a document; 0: none", unit="tokens", paper=256, low=0
    )

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        if len(self.weights) != 3 or not any(self.weights):
            raise ValueError(f"option 'weights' expects three weights, not all 0, got {self.weights}")


CARD = Card(
    name="bge-m3",
    kind="distiller",
    summary="Three heads of one encoder, dense, lexical and multi-vector, learn from the sum of their scores.",
    method="harness_bge_m3.method:BgeM3",
    config=Config,
    family="late-interaction",
    paper=Paper(
        title="BGE M3-Embedding: Multi-Lingual, Multi-Functionality, Multi-Granularity Text Embeddings Through "
        "Self-Knowledge Distillation",
        authors="Jianlv Chen, Xiao, Zhang, Luo, Lian, Liu",
        year=2024,
        venue="Findings of ACL",
        url="https://arxiv.org/abs/2402.03216",
    ),
    deviations=(
        "Only the unified fine-tuning: neither the pre-training with RetroMAE nor the contrastive one on 1.2 billion "
        "pairs.",
        "Queries and documents are cut at one length; the paper's have 512 and 8,192 tokens.",
        "Both new heads have a bias.",
        "Negatives are those of the frozen lists; the paper's are mined by a model (ANCE).",
        "The dense vector is the student's pooled one, by its checkpoint's pooling, always compared by cosine; "
        "pooling=cls gives the paper's.",
        "The two new heads learn faster than the encoder; head_rate=1 gives the paper's.",
        "A document that is judged relevant to a query is no in-batch negative of it.",
        "Batches are drawn without regard to length; texts of like length are encoded together, and chunk=N encodes "
        "so many at once, which is the paper's splitting into sub-batches.",
        "In-batch candidates are those of one process; nothing is gathered over devices.",
        "outside=true learns the teacher's distribution over each query's own list; the released code also spreads it "
        "over the other documents of the batch.",
        "depth takes the best of the dense and of the sparse ranking; by default the sum is of all documents.",
    ),
    claims=(
        Claim(
            dataset="MIRACL dev, dense", measure="nDCG@10", value=0.692, source="ACL version; recalled, not verified"
        ),
        Claim(
            dataset="MIRACL dev, sparse", measure="nDCG@10", value=0.539, source="ACL version; recalled, not verified"
        ),
        Claim(
            dataset="MIRACL dev, multi", measure="nDCG@10", value=0.705, source="ACL version; recalled, not verified"
        ),
        Claim(
            dataset="MIRACL dev, hybrid", measure="nDCG@10", value=0.715, source="ACL version; recalled, not verified"
        ),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """BGE-M3."""
    return [CARD]

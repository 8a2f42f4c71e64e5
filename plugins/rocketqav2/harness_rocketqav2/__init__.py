"""RocketQAv2: retriever and reranker learn together, so that the teacher moves with its student.

Both make a distribution over the same list of documents, and a divergence ties the two; only the reranker sees labels.
Up to half of the lists are freed of negatives that a frozen teacher takes for relevant.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Claim, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, the two models' losses, and how lists are denoised."""

    joint: bool = knob(True, "whether the reranker goes on learning beside the retriever; false: it stays as it is")
    direction: Literal["forward", "reverse"] = knob(
        "forward", "forward: KL(reranker, retriever), as released; reverse: KL(retriever, reranker)", paper="reverse"
    )
    detach_target: bool = knob(False, "whether the divergence's gradient stops before the reranker", paper=False)
    divergence_weight: float = knob(1.0, "weight of the divergence; released code: 1 / documents", paper=1.0, low=0)
    label_weight: float = knob(1.0, "weight of the reranker's cross-entropy on the labels", paper=1.0, low=0)
    scale: float = knob(20.0, "factor on the retriever's scores: its vectors may be unit ones", paper=1.0, low=0)
    first_share: float = knob(
        0.5, "share of the steps in which the retriever learns alone, from labels over the batch", low=0, high=1
    )
    warm: Literal["teacher", "labels"] = knob(
        "teacher", "what the reranker learns from alone, at first", paper="labels"
    )
    warm_share: float = knob(0.3, "share of the steps in which the reranker learns alone", low=0, high=1)
    joint_rate: float = knob(
        0.1, "factor on the learning rate while both learn together, since both have learnt before", low=1e-6, high=1
    )
    lists: Literal["both", "raw", "denoised"] = knob("both", "which lists there are", paper="both")
    doubtful: float = knob(
        0.5,
        "a negative is left out of denoised lists from this place on, between the lowest teacher score of its list (0) "
        "and the positive's (1)",
        low=0,
    )
    trusted: float = knob(1.0, "a document may be a denoised list's positive from this place on", low=0)
    rerank: int = knob(0, "documents that the reranker reads again at the end; 0: none", unit="documents", low=0)

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        if self.trusted < self.doubtful:
            raise ValueError(f"trusted expects at least doubtful ({self.doubtful}), got {self.trusted}")
        if self.first_share + self.warm_share >= 1:
            shares = f"{self.first_share} and {self.warm_share}"
            raise ValueError(f"first_share and warm_share expect to leave steps for both together, got {shares}")


CARD = Card(
    name="rocketqav2",
    kind="distiller",
    summary="Trains retriever and reranker together on the same lists, tied by a divergence in which both move.",
    method="harness_rocketqav2.method:RocketQaV2",
    config=Config,
    family="dense",
    needs=("score",),
    paper=Paper(
        title="RocketQAv2: A Joint Training Method for Dense Passage Retrieval and Passage Re-ranking",
        authors="Ren, Qu, Liu, Zhao, She, Wu, Wang, Wen",
        year=2021,
        venue="EMNLP",
        url="https://arxiv.org/abs/2110.07367",
    ),
    deviations=(
        "The divergence runs from the reranker to the retriever, as in the released code; direction=reverse gives the "
        "paper's formula. Its gradient reaches both models, as in the paper; the operator that the released code "
        "calls has none for its target, which detach_target=true gives.",
        "The divergence is a mean over queries; the released code divides by the documents of a list too, which "
        "divergence_weight=1/documents gives.",
        "Both models start from the student's checkpoint and learn alone at first, within the method's steps: the "
        "retriever from labels over the batch, the reranker from the teacher's scores. The paper trains both by "
        "RocketQA's steps before.",
        "Teacher scores have no common scale, so the cut-offs of denoising are places between the lowest score of a "
        "list and the positive's, instead of probabilities.",
        "A denoised list is the raw one with doubtful negatives left out of the softmax, so that it is shorter, and "
        "its positive is drawn from the labelled one and those that the teacher scores as high; the paper draws "
        "negatives and positives anew. Queries whose teacher leaves no negative have none.",
        "The retriever's scores are multiplied by scale, since its vectors may be unit ones; the paper has no "
        "temperature. Both learn together at joint_rate of the learning rate.",
        "One encoder reads queries and documents; the paper has one each.",
        "Lists are as long as the suite says; the paper's have 128 documents or 32.",
    ),
    claims=(
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.388, source="paper, retriever"),
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.419, source="paper, reranker"),
        Claim(dataset="NQ test", measure="R@5", value=0.751, source="paper, retriever"),
        Claim(dataset="NQ test", measure="R@20", value=0.837, source="paper, retriever"),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """RocketQAv2."""
    return [CARD]

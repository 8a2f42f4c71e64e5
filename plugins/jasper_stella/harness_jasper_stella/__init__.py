"""Jasper and Stella: a student matches the joined vectors of strong embedding models, without labels.

Three losses look at the vector itself, at how similar each pair of texts is, and at the order of those similarities.
The new head learns first, then the top of the encoder with it, then everything together with small heads, for which the
two losses over pairs are enough, whatever their length.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Claim, Paper, Use, hookimpl, knob
from harness.nn.settings import StudentConfig


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, and those of teachers, losses, stages and heads."""

    teachers: tuple[Use, ...] = knob((), "embedding teachers beside the lesson's, joined with it", nested="teacher")
    cosine_weight: float = knob(10.0, "weight of the cosine loss; 0 leaves it out", paper=10, low=0)
    similarity_weight: float = knob(200.0, "weight of the loss over pairs' similarities", paper=200, low=0)
    order_weight: float = knob(20.0, "weight of the loss over the order of similarities", paper=20, low=0)
    margin: float = knob(0.015, "by how much a similarity must lie above one that the teacher ranks lower", paper=0.015)
    pairs: int = knob(512, "pairs of texts, drawn from a batch, whose order counts", unit="pairs", paper=8128, low=2)
    head_share: float = knob(0.3, "share of the steps in which only the head learns", paper=0.303, low=0, high=1)
    top_share: float = knob(0.5, "share in which the last layers learn with it", paper=0.53, low=0, high=1)
    last_layers: int = knob(3, "how many layers these are", unit="layers", paper=3, low=1)
    short_dims: tuple[int, ...] = knob((64,), "lengths of the small heads", unit="dimensions", paper=(512,), low=1)
    short_teacher: Literal["teacher", "self"] = knob(
        "teacher", "whose similarities small heads match; self: the head's"
    )
    output: int = knob(0, "the head that the retriever uses, by its length; 0: the full one", unit="dimensions", low=0)
    head_rate: float = knob(20.0, "the heads' factor on the learning rate: they start from chance", paper=1.0, low=0)

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        if self.head_share + self.top_share > 1:
            raise ValueError(f"head_share and top_share expect a sum up to 1, got {self.head_share + self.top_share}")
        if self.output and (self.output not in self.short_dims or self.head_share + self.top_share == 1):
            raise ValueError(
                f"option 'output' expects 0 or one of short_dims {self.short_dims}, with steps left for it after the "
                f"first two stages; got {self.output}"
            )


CARD = Card(
    name="jasper-stella",
    kind="distiller",
    summary="Matches joined teacher vectors by cosine, similarity and order, head first, then top, then all.",
    method="harness_jasper_stella.method:JasperStella",
    config=Config,
    family="dense",
    needs=("embed",),
    paper=Paper(
        title="Jasper and Stella: distillation of SOTA embedding models",
        authors="Zhang et al.",
        year=2024,
        venue="preprint",
        url="https://arxiv.org/abs/2412.19048",
    ),
    deviations=(
        "The fourth stage, which aligns a vision tower, is left out: the harness has texts only.",
        "The texts are the queries and documents of the candidate lists; the paper takes 8 million texts of the web, "
        "some cut short or shuffled.",
        "The order loss is the mean over pairs of a fixed number of text pairs, drawn anew at each step; the paper "
        "counts all pairs of 128 texts.",
        "As in the released code, the cosine loss is the mean over the texts; the paper writes a sum.",
        "One learning rate for all stages, with more for the heads (head_rate); the paper's falls from 1e-4 to 7e-5.",
        "The small heads' losses are averaged over the heads and added to the full head's.",
        "A checkpoint's own normalisation of its vectors is left out in front of the heads.",
    ),
    claims=(
        Claim(
            dataset="MTEB English, average of the retrieval sets",
            measure="nDCG@10",
            value=0.6133,
            source="the paper, for a student of 1.5 + 0.4 billion parameters; table not looked up",
        ),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """Jasper and Stella."""
    return [CARD]

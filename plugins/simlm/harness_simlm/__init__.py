"""SimLM: an encoder is first taught to press a passage into one vector, then to rank, on ever harder negatives.

A shallow decoder must restore a passage whose words were replaced by likely others, and sees of the encoder, which
reads fewer replacements, nothing but one vector. Fine-tuning follows in stages: on given negatives, on negatives that
the first student ranks high, and at last on the scores of a cross-encoder.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Claim, Paper, hookimpl, knob
from harness.nn.settings import StudentConfig

STAGES = ("pretrain", "first", "mined", "distilled")
"""In the order of `Config.shares`."""


@dataclass(frozen=True, kw_only=True)
class Config(StudentConfig):
    """The student recipe's knobs, and those of pre-training and of the last stage."""

    shares: tuple[float, ...] = knob(
        (0.4, 0.15, 0.15, 0.3),
        "shares of the steps: pre-training, given negatives, mined negatives, teacher; 0 leaves a stage out",
        low=0,
        high=1,
    )
    pooling: Literal["checkpoint", "cls"] = knob(
        "checkpoint", "how token vectors become one, as bottleneck and afterwards", paper="cls"
    )
    generator: Literal["auto", "checkpoint", "unigram"] = knob(
        "auto",
        "draws the replacements: the student checkpoint's head over the vocabulary, or token frequencies; "
        "auto: the head where there is one",
        paper="ELECTRA's generator",
    )
    mask_encoder: float = knob(0.3, "share of words that are replaced for the encoder", low=0, high=1)
    mask_decoder: float = knob(0.5, "the same for the decoder; holds the encoder's", low=0, high=1)
    decoder_layers: int = knob(1, "copied from the encoder's last", unit="layers", paper=2, low=1)
    pretrain_batch: int = knob(16, "passages a batch in pre-training", unit="passages", paper=2048, low=1)
    pretrain_rate: float = knob(1e-4, "peak learning rate of pre-training", paper=3e-4, low=0)
    temperature: float = knob(0.02, "divides the student's scores", low=1e-6)
    teacher_temperature: float = knob(1.0, "divides the teacher's scores", low=1e-6)
    contrastive: float = knob(0.2, "weight of InfoNCE beside the teacher's distribution", low=0)

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        if len(self.shares) != len(STAGES) or abs(sum(self.shares) - 1) > 1e-6:
            raise ValueError(f"option 'shares' expects {len(STAGES)} shares that add up to 1, got {self.shares}")
        if not any(self.shares[1:]):
            raise ValueError("option 'shares' expects a share above 0 for a stage after pre-training, got none")
        if self.mask_decoder < self.mask_encoder:
            raise ValueError(
                f"option 'mask_decoder' expects at least mask_encoder, {self.mask_encoder}, got {self.mask_decoder}"
            )


CARD = Card(
    name="simlm",
    kind="distiller",
    summary="Pre-trains through one vector by replaced language modelling, then ranks, mines and distils.",
    method="harness_simlm.method:SimLM",
    config=Config,
    family="dense",
    needs=("score",),
    paper=Paper(
        title="SimLM: Pre-training with Representation Bottleneck for Dense Passage Retrieval",
        authors="Wang, Yang, Huang, Jiao, Yang, Jiang, Majumder, Wei",
        year=2023,
        venue="ACL",
        url="https://arxiv.org/abs/2207.02578",
    ),
    deviations=(
        "Pre-training starts from the lesson's student and reads the lesson's corpus, for a share of the steps; the "
        "paper's reads MS MARCO for 80,000 steps of 2,048 passages, from BERT-base.",
        "The generator is the student checkpoint's own head over the vocabulary, which may be one trained for "
        "retrieval; a checkpoint without such a head gets one that draws by the corpus' token frequencies.",
        "The generator never draws a special token.",
        "The head over the vocabulary starts from the checkpoint's where that is BERT's, and from chance elsewhere.",
        "Whole words are those of the tokeniser's own splitting, each replaced with the given probability; the "
        "encoder's are among the decoder's by one draw for both.",
        "The bottleneck is the student's pooled vector, by its checkpoint's pooling; pooling=cls gives the paper's.",
        "The cross-encoder is the lesson's teacher, which is not trained on mined negatives.",
        "All stages have lists of one length (paper: 16 and 24 passages) and one learning rate (paper: 2e-5 and 3e-5).",
        "The last stage's lists hold negatives mined by the stage before it, as many as each query has; a document "
        "that is judged relevant to a query is no in-batch negative of it.",
        "Queries and passages are cut at one length; the paper's have 32 and 144 tokens.",
        "The student's similarity is its checkpoint's; the paper's is the cosine.",
    ),
    claims=(
        Claim(dataset="MS MARCO dev", measure="RR@10", value=0.411, source="README of the authors' code"),
        Claim(dataset="MS MARCO dev", measure="R@1000", value=0.987, source="README of the authors' code"),
        Claim(dataset="TREC DL 2019", measure="nDCG@10", value=0.714, source="README of the authors' code"),
        Claim(dataset="TREC DL 2020", measure="nDCG@10", value=0.697, source="README of the authors' code"),
    ),
)


@hookimpl
def harness_distillers() -> list[Card]:
    """SimLM."""
    return [CARD]

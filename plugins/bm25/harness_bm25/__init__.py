"""BM25: a document scores for each query term it contains, the more the rarer the term is in the corpus.

Repeating a term adds less and less (k1), and long documents are marked down (b). The variant is Lucene's, whose idf is
never negative. Title and body are one text.
"""

from dataclasses import dataclass
from typing import Literal

from harness import Card, Claim, Paper, hookimpl, knob

Tokeniser = Literal["word", "bigram", "code"]
StopWords = Literal[
    "none", "english", "chinese", "danish", "dutch", "french", "german", "italian", "korean", "norwegian",
    "portuguese", "russian", "spanish", "swedish", "turkish",
]  # fmt: skip
Stemmer = Literal[
    "none", "english", "porter", "arabic", "armenian", "basque", "catalan", "danish", "dutch", "finnish", "french",
    "german", "greek", "hindi", "hungarian", "indonesian", "irish", "italian", "lithuanian", "nepali", "norwegian",
    "portuguese", "romanian", "russian", "serbian", "spanish", "swedish", "tamil", "turkish", "yiddish",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Config:
    """The defaults are the reference recipe for English, with Anserini's k1 and b."""

    k1: float = knob(0.9, "how much repeating a term still adds", paper="1.2 to 2", low=0)
    b: float = knob(
        0.4, "how much long documents are marked down: 0 not at all, 1 fully", paper="0.5 to 0.8", low=0, high=1
    )
    tokeniser: Tokeniser = knob(
        "word",
        "word: runs of letters and digits; bigram: pairs of characters, for Chinese, Japanese and Thai, and ASCII "
        "words; code: words with camelCase, snake_case and digits split. All in lower case",
    )
    stop_words: StopWords = knob("english", "words that are left out; english: Lucene's 33; others: bm25s's lists")
    stemmer: Stemmer = knob("english", "Snowball stemmer by name, after stop words are out")
    history: Literal["none", "user", "all"] = knob(
        "none",
        "earlier turns of a dialogue to put before the query; user: the user's; all: everybody's, each after the name "
        "of its role",
    )


_REFERENCE = {"k1": "0.9", "b": "0.4"}

CARD = Card(
    name="bm25",
    kind="retriever",
    summary="Weighs shared terms by rarity, with saturating frequency and document length taken into account.",
    method="harness_bm25.method:BM25",
    config=Config,
    family="lexical",
    paper=Paper(
        title="The Probabilistic Relevance Framework: BM25 and Beyond",
        authors="Robertson, Zaragoza",
        year=2009,
        venue="Foundations and Trends in Information Retrieval",
        url="https://doi.org/10.1561/1500000019",
    ),
    presets={
        "reference": _REFERENCE | {"tokeniser": "word", "stop_words": "english", "stemmer": "english"},
        "reference-code": _REFERENCE | {"tokeniser": "code", "stop_words": "none", "stemmer": "english"},
        "reference-bigram": _REFERENCE | {"tokeniser": "bigram", "stop_words": "none", "stemmer": "none"},
        "lucene-flat": _REFERENCE | {"tokeniser": "word", "stop_words": "english", "stemmer": "porter"},
    },
    deviations=(
        "Lucene's idf, log(1 + (N - df + 0.5) / (df + 0.5)), which can't be negative, and no factor k1 + 1 "
        "(the order of documents is the same without it).",
        "Query terms weigh by how often they occur: k3 is infinite.",
        "lucene-flat against Lucene's EnglishAnalyzer: words are split at every sign that is no letter, digit or "
        "underscore, not by Unicode's word boundaries, so that U.S. and don't become two words; a possessive 's is a "
        "word of its own, not removed; document lengths are exact, not rounded to a byte.",
    ),
    claims=(
        Claim(
            dataset="BEIR NFCorpus",
            measure="nDCG@10",
            value=0.3218,
            source="Pyserini, two-click reproductions, BEIR, BM25 flat",
            task="beir:nfcorpus",
        ),
        Claim(
            dataset="BEIR SciFact",
            measure="nDCG@10",
            value=0.6789,
            source="Pyserini, two-click reproductions, BEIR, BM25 flat",
            task="beir:scifact",
        ),
    ),
)


@hookimpl
def harness_retrievers() -> list[Card]:
    """BM25."""
    return [CARD]

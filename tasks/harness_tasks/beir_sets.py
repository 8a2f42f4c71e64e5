"""What is known of the data sets of BEIR before they are fetched.

Splits as in the archives; licences as the BEIR paper reports them, "not stated" where a data set's authors state none.
"""

from dataclasses import dataclass

FORUMS = (
    "android", "english", "gaming", "gis", "mathematica", "physics",
    "programmers", "stats", "tex", "unix", "webmasters", "wordpress",
)  # fmt: skip
"""The forums of CQADupStack; BEIR reports the mean over them."""


@dataclass(frozen=True, kw_only=True)
class BeirSet:
    """A data set of BEIR."""

    summary: str
    """What is searched with what."""
    splits: tuple[str, ...] = ("test",)
    """Splits with judgements."""
    licence: str = "not stated"
    """Of the data."""
    exclude_self: bool = False
    """Whether queries are documents of the corpus themselves, under the same id."""
    md5: str = ""
    """Of its archive, as BEIR's readme states it; empty for what has none."""
    obtain: str = ""
    """For what may not be passed on: where to get it."""

    @property
    def public(self) -> bool:
        """Whether it can be downloaded."""
        return not self.obtain


_ALL = ("train", "dev", "test")
_MAKE = "follow examples/dataset in the repository of beir to make its folder"
SETS = {
    "msmarco": BeirSet(
        summary="Web passages for search-engine queries.",
        splits=_ALL,
        licence="MS MARCO, non-commercial research",
        md5="444067daf65d982533ea17ebd59501e4",
    ),
    "trec-covid": BeirSet(
        summary="Articles on COVID-19 for questions of the pandemic, pooled and graded judgements.",
        licence="TREC-COVID dataset licence agreement",
        md5="ce62140cb23feb9becf6270d0d1fe6d1",
    ),
    "nfcorpus": BeirSet(
        summary="Medical abstracts for titles of nutrition pages, graded.",
        splits=_ALL,
        md5="a89dba18a62ef92f7d323ec890a0d38d",
    ),
    "bioasq": BeirSet(
        summary="Biomedical articles for experts' questions.",
        splits=("train", "test"),
        obtain=f"register at bioasq.org, then {_MAKE}",
    ),
    "nq": BeirSet(
        summary="Wikipedia passages that answer questions typed into a search engine.",
        licence="CC BY-SA 3.0",
        md5="d4d3d2e48787a744b6f6e691ff534307",
    ),
    "hotpotqa": BeirSet(
        summary="Wikipedia paragraphs for questions that need two of them.",
        splits=_ALL,
        licence="CC BY-SA 4.0",
        md5="f412724f78b0d91183a0e86805e16114",
    ),
    "fiqa": BeirSet(
        summary="Forum posts that answer questions on finance.",
        splits=_ALL,
        md5="17918ed23cd04fb15047f73e6c3bd9d9",
    ),
    "signal1m": BeirSet(
        summary="Tweets for headlines.",
        licence="CC BY-SA 3.0",
        obtain=f"ask Signal AI for Signal-1M and fetch the tweets, then {_MAKE}",
    ),
    "trec-news": BeirSet(
        summary="Background articles for a news article.",
        licence="TREC, by agreement",
        obtain=f"ask NIST for the Washington Post collection, then {_MAKE}",
    ),
    "robust04": BeirSet(
        summary="News for hard topics, pooled judgements.",
        licence="TREC, by agreement",
        obtain=f"ask NIST for TREC disks 4 and 5, then {_MAKE}",
    ),
    "arguana": BeirSet(
        summary="The counter-argument to an argument, which is in the corpus itself.",
        licence="CC BY 4.0",
        exclude_self=True,
        md5="8ad3e3c2a5867cdced806d6503f29b99",
    ),
    "webis-touche2020": BeirSet(
        summary="Arguments for controversial questions, graded.",
        licence="CC BY 4.0",
        md5="46f650ba5a527fc69e0a6521c5a23563",
    ),
    "cqadupstack": BeirSet(
        summary="Duplicate questions in one Stack Exchange forum.",
        licence="Apache-2.0",
        md5="4e41456d7df8ee7760a7f866133bda78",
    ),
    "quora": BeirSet(
        summary="Duplicate questions of Quora.",
        splits=("dev", "test"),
        exclude_self=True,
        md5="18fb154900ba42a600f84b839c173167",
    ),
    "dbpedia-entity": BeirSet(
        summary="DBpedia entities for keyword queries and questions, graded.",
        splits=("dev", "test"),
        licence="CC BY-SA 3.0",
        md5="c2a39eb420a3164af735795df012ac2c",
    ),
    "scidocs": BeirSet(
        summary="Papers that a paper cites, by its title.",
        licence="GPL-3.0",
        md5="38121350fc3a4d2f48850f6aff52e4a9",
    ),
    "fever": BeirSet(
        summary="Wikipedia pages that support or refute a claim.",
        splits=_ALL,
        licence="CC BY-SA 3.0",
        md5="5a818580227bfb4b35bb6fa46d9b6c03",
    ),
    "climate-fever": BeirSet(
        summary="Wikipedia pages that bear on a claim on the climate.",
        md5="8b66f0a9126c521bae2bde127b4dc99d",
    ),
    "scifact": BeirSet(
        summary="Abstracts that support or refute a scientific claim.",
        splits=("train", "test"),
        licence="CC BY-NC 2.0",
        md5="5f7d1de60b170fc8027bb7898e2efca1",
    ),
}
"""By name in BEIR: the 18 that it averages over, and msmarco."""

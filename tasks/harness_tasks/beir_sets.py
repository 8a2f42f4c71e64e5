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
    obtain: str = ""
    """For what may not be passed on: where to get it."""

    @property
    def public(self) -> bool:
        """Whether it can be downloaded."""
        return not self.obtain


_ALL = ("train", "dev", "test")
_MAKE = "follow examples/dataset in the repository of beir to make its folder"
SETS = {
    "msmarco": BeirSet(summary="Web passages for search-engine queries.", splits=_ALL,
                       licence="MS MARCO, non-commercial research"),
    "trec-covid": BeirSet(summary="Articles on COVID-19 for questions of the pandemic, pooled and graded judgements.",
                          licence="TREC-COVID dataset licence agreement"),
    "nfcorpus": BeirSet(summary="Medical abstracts for titles of nutrition pages, graded.", splits=_ALL),
    "bioasq": BeirSet(summary="Biomedical articles for experts' questions.", splits=("train", "test"),
                      obtain=f"register at bioasq.org, then {_MAKE}"),
    "nq": BeirSet(summary="Wikipedia passages that answer questions typed into a search engine.",
                  licence="CC BY-SA 3.0"),
    "hotpotqa": BeirSet(summary="Wikipedia paragraphs for questions that need two of them.", splits=_ALL,
                        licence="CC BY-SA 4.0"),
    "fiqa": BeirSet(summary="Forum posts that answer questions on finance.", splits=_ALL),
    "signal1m": BeirSet(summary="Tweets for headlines.", licence="CC BY-SA 3.0",
                        obtain=f"ask Signal AI for Signal-1M and fetch the tweets, then {_MAKE}"),
    "trec-news": BeirSet(summary="Background articles for a news article.", licence="TREC, by agreement",
                         obtain=f"ask NIST for the Washington Post collection, then {_MAKE}"),
    "robust04": BeirSet(summary="News for hard topics, pooled judgements.", licence="TREC, by agreement",
                        obtain=f"ask NIST for TREC disks 4 and 5, then {_MAKE}"),
    "arguana": BeirSet(summary="The counter-argument to an argument, which is in the corpus itself.",
                       licence="CC BY 4.0", exclude_self=True),
    "webis-touche2020": BeirSet(summary="Arguments for controversial questions, graded.", licence="CC BY 4.0"),
    "cqadupstack": BeirSet(summary="Duplicate questions in one Stack Exchange forum.", licence="Apache-2.0"),
    "quora": BeirSet(summary="Duplicate questions of Quora.", splits=("dev", "test"), exclude_self=True),
    "dbpedia-entity": BeirSet(summary="DBpedia entities for keyword queries and questions, graded.",
                              splits=("dev", "test"), licence="CC BY-SA 3.0"),
    "scidocs": BeirSet(summary="Papers that a paper cites, by its title.", licence="GPL-3.0"),
    "fever": BeirSet(summary="Wikipedia pages that support or refute a claim.", splits=_ALL, licence="CC BY-SA 3.0"),
    "climate-fever": BeirSet(summary="Wikipedia pages that bear on a claim on the climate."),
    "scifact": BeirSet(summary="Abstracts that support or refute a scientific claim.", splits=("train", "test"),
                       licence="CC BY-NC 2.0"),
}  # fmt: skip
"""By name in BEIR: the 18 that it averages over, and msmarco."""

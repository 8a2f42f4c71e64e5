"""Fusion: worked by hand, with parts that answer what the test wrote down."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from harness_fusion import CARD, Config
from harness_fusion.method import Fusion

from harness.card import Use
from harness.config import parse
from harness.contracts import Context, Corpus
from harness.data.corpus import build_corpus
from harness.errors import ConfigError, ContractError
from harness.plugins import registry
from harness.records import Document, Query, Run
from harness.testing import RetrieverContract

QUERY = Query(id="q", text="")


class TestReciprocalRank(RetrieverContract):
    plugin = "fusion"
    options: ClassVar = {"parts": "bm25,bm25", "parts.1.stemmer": "porter"}


class TestLinear(RetrieverContract):
    plugin = "fusion"
    options: ClassVar = {
        "parts": "bm25,bm25",
        "parts.1.stemmer": "porter",
        "method": "linear",
        "weights": "1,0.5",
        "depth": "20",
    }


class Written:
    """A retriever that gives one ranking to every query."""

    def __init__(self, ranking: dict[int, float]) -> None:
        self.ranking = list(ranking.items())

    def index(self, corpus: Corpus) -> None:
        self.indexed = corpus

    def search(self, queries: list[Query], k: int) -> Run:
        rows = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        for place, (row, score) in enumerate(self.ranking[:k]):
            rows[:, place], scores[:, place] = row, score
        return Run(query_ids=tuple(query.id for query in queries), rows=rows, scores=scores)


def fuse(folder: Path, *rankings: dict[int, float], top: int = 10, **knobs: object) -> list[tuple[int, float]]:
    """Rows and scores of the fused ranking, over documents d0 … d5."""
    corpus = build_corpus([Document(id=f"d{i}", text="") for i in range(6)], folder / "corpus")
    uses = tuple(Use("retriever", str(place), None) for place in range(len(rankings)))
    parts = {use.name: Written(ranking) for use, ranking in zip(uses, rankings, strict=True)}
    context = Context(folder=folder, build=lambda use: parts[use.name])
    fusion = Fusion(Config(parts=uses, **knobs), context)  # type: ignore[arg-type]
    fusion.index(corpus)
    run = fusion.search([QUERY], top)
    return [(int(row), float(score)) for row, score in zip(run.rows[0], run.scores[0], strict=True) if row >= 0]


A = {0: 9.0, 1: 5.0, 2: 1.0}
B = {2: 0.9, 3: 0.8, 1: 0.4}


def test_reciprocal_ranks_by_hand(tmp_path: Path) -> None:
    assert fuse(tmp_path, A, B) == [
        (2, pytest.approx(1 / 63 + 1 / 61)),  # third and first: 0.03227
        (1, pytest.approx(1 / 62 + 1 / 63)),  # second and third: 0.03200
        (0, pytest.approx(1 / 61)),  # 0.01639
        (3, pytest.approx(1 / 62)),  # 0.01613
    ]


def test_linear_by_hand(tmp_path: Path) -> None:
    # A scaled: 1, 0.5, 0. B scaled: 1, 0.8, 0.
    assert fuse(tmp_path, A, B, method="linear") == [(2, 1.0), (0, 1.0), (3, pytest.approx(0.8)), (1, 0.5)]


def test_weights(tmp_path: Path) -> None:
    assert fuse(tmp_path, A, B, method="linear", weights=(2.0, 1.0))[:2] == [(0, 2.0), (2, 1.0)]
    assert fuse(tmp_path / "rank", A, B, weights=(0.0, 1.0))[0] == (2, pytest.approx(1 / 61))


def test_the_smaller_k_the_more_the_first_ranks_count(tmp_path: Path) -> None:
    assert fuse(tmp_path, A, B, k=0)[0] == (2, pytest.approx(1 / 3 + 1))


def test_depth_cuts_every_part_whatever_k_is(tmp_path: Path) -> None:
    assert [row for row, _ in fuse(tmp_path, A, B, depth=1)] == [2, 0]
    assert fuse(tmp_path / "two", A, B, top=2) == fuse(tmp_path / "all", A, B)[:2]


def test_equal_scores_and_empty_rankings(tmp_path: Path) -> None:
    assert fuse(tmp_path / "one", {4: 7.0}, {}, method="linear") == [(4, 1.0)]
    assert fuse(tmp_path / "same", {4: 7.0, 1: 7.0}, {1: -3.0}, method="linear") == [(1, 2.0), (4, 1.0)]
    assert fuse(tmp_path / "none", {}, {}) == []


def test_a_part_is_read_under_the_tie_rule(tmp_path: Path) -> None:
    # The part puts d1 before d2 at one score; by the tie rule d2 is first.
    assert fuse(tmp_path, {1: 2.0, 2: 2.0}, {})[0] == (2, pytest.approx(1 / 61))


def test_a_part_that_breaks_its_contract_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"part 1: .*NaN"):
        fuse(tmp_path, A, {2: float("nan")})


@pytest.mark.parametrize(
    "options",
    [
        {"parts": "bm25"},
        {"parts": "bm25,bm25", "weights": "1"},
        {"parts": "bm25,bm25", "weights": "0,0"},
        {"parts": "bm25,bm25", "weights": "1,-1"},
        {"parts": "bm25,bm25", "depth": "0"},
        {},
    ],
)
def test_options_that_make_no_sense(options: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        parse(registry(), CARD, options)

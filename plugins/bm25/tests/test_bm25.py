"""BM25: worked by hand, behaviour, and real collections against reference values."""

import csv
import math
import random
import re
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
from harness_bm25 import CARD, Config
from harness_bm25.analysis import Analyser
from harness_bm25.method import BM25

from harness.config import parse
from harness.contracts import Context
from harness.data.beir import BeirSource
from harness.data.corpus import ArrowCorpus, build_corpus
from harness.data.task import SourceTask
from harness.errors import DataError
from harness.plugins import registry
from harness.records import Document, Query, Turn
from harness.scoring.measures import score
from harness.testing import RetrieverContract

PLAIN = Config(stop_words="none", stemmer="none")


class TestContract(RetrieverContract):
    plugin = "bm25"


def over(folder: Path, texts: list[str], config: Config = PLAIN) -> BM25:
    """BM25 over documents d0, d1, …"""
    corpus = build_corpus([Document(id=f"d{i}", text=text) for i, text in enumerate(texts)], folder / "corpus")
    retriever = BM25(config, Context(folder=folder, build=lambda use: None))
    retriever.index(corpus)
    return retriever


def ranking(retriever: BM25, text: str, k: int = 10) -> list[tuple[int, float]]:
    run = retriever.search([Query(id="q", text=text)], k)
    return [(int(row), float(value)) for row, value in zip(run.rows[0], run.scores[0], strict=True) if row >= 0]


def test_scores_by_hand(tmp_path: Path) -> None:
    # Lengths 3, 3, 1: the mean is 7/3. "cat" is in two of three documents, "dog" in one.
    retriever = over(tmp_path, ["a cat sat", "cat cat dog", "bird"])
    cat = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))  # log 1.6 = 0.4700
    dog = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))  # log 8/3 = 0.9808
    norm = 0.9 * (1 - 0.4 + 0.4 * 3 / (7 / 3))  # 0.9 · 1.1143 = 1.0029
    expected = {1: cat * 2 / (2 + norm) + dog * 1 / (1 + norm), 0: cat * 1 / (1 + norm)}  # 0.8027 and 0.2347
    found = ranking(retriever, "Dog cat")
    assert [row for row, _ in found] == [1, 0]
    assert dict(found) == pytest.approx(expected, abs=1e-6)
    assert found[1][1] == pytest.approx(0.2347, abs=1e-4)


def test_a_term_asked_twice_counts_twice(tmp_path: Path) -> None:
    retriever = over(tmp_path, ["cat dog", "bird"])
    assert ranking(retriever, "cat cat")[0][1] == pytest.approx(2 * ranking(retriever, "cat")[0][1])


def test_k1_and_b_do_what_they_say(tmp_path: Path) -> None:
    texts = ["cat cat cat cat", "cat bird", "cat bird fish tree house lamp"]
    binary = ranking(over(tmp_path / "binary", texts, replace(PLAIN, k1=0.0)), "cat")
    assert len({value for _, value in binary}) == 1  # without k1 only presence counts
    without_length = dict(ranking(over(tmp_path / "flat", texts, replace(PLAIN, b=0.0)), "cat"))
    assert without_length[1] == pytest.approx(without_length[2])  # without b length doesn't
    usual = dict(ranking(over(tmp_path / "usual", texts), "cat"))
    assert usual[0] > usual[1] > usual[2]


def test_ties_go_to_the_larger_id_also_at_the_cut(tmp_path: Path) -> None:
    retriever = over(tmp_path, ["same text"] * 12)
    # As texts: d0 < d1 < d10 < d11 < d2 < … < d9.
    assert [row for row, _ in ranking(retriever, "text", k=9)] == [9, 8, 7, 6, 5, 4, 3, 2, 11]


def test_nothing_shared_nothing_found(tmp_path: Path) -> None:
    retriever = over(tmp_path, ["cat", "dog"])
    assert ranking(retriever, "bird") == []
    assert [row for row, _ in ranking(retriever, "bird cat")] == [0]


def test_title_joins_the_text(tmp_path: Path) -> None:
    corpus = build_corpus([Document(id="1", title="Cats", text="sleep"), Document(id="2", text="dogs")], tmp_path / "c")
    retriever = BM25(Config(), Context(folder=tmp_path, build=lambda use: None))
    retriever.index(corpus)
    assert [row for row, _ in ranking(retriever, "cat")] == [0]


@pytest.mark.parametrize(
    ("config", "text", "terms"),
    [
        (Config(), "The cats' running_times, naïve!", ["cat", "running_tim", "naïv"]),
        (PLAIN, "The Cats ran.", ["the", "cats", "ran"]),
        (replace(PLAIN, tokeniser="bigram"), "东京塔 in 2024,高!", ["东京", "京塔", "in", "2024", "高"]),
        (replace(PLAIN, tokeniser="code"), "getHTTP_url2(x)", ["get", "http", "url", "2", "x"]),
        (Config(stop_words="german", stemmer="german"), "Die Häuser und Gärten", ["haus", "gart"]),
        (Config(stemmer="porter"), "generously fairly", ["gener", "fairli"]),
        (Config(stemmer="english"), "generously fairly", ["generous", "fair"]),
    ],
)
def test_terms(config: Config, text: str, terms: list[str]) -> None:
    assert in_order(Analyser(config), [text]) == [terms]


def in_order(analyser: Analyser, texts: list[str]) -> list[list[str]]:
    """The terms of each text."""
    words = analyser.words(texts)
    found: list[list[str]] = [[] for _ in texts]
    for code, text in zip(words.codes.tolist(), words.texts.tolist(), strict=True):
        if term := analyser.term(words.distinct[code]):
            found[text].append(term)
    return found


def bigrams(text: str) -> list[str]:
    runs = re.findall(r"[a-z0-9]+|[^\W\x00-\x7f]+", text.lower())
    whole = [[run] if run.isascii() or len(run) == 1 else [a + b for a, b in pairwise(run)] for run in runs]
    return list(chain.from_iterable(whole))


DEFINITIONS = {
    "word": lambda text: re.findall(r"\w+", text.lower()),
    "bigram": bigrams,
    "code": lambda text: re.findall(r"[^\W\d_]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()),
}
"""Each tokeniser word by word, as its knob says it."""


@pytest.mark.parametrize("tokeniser", DEFINITIONS)
def test_many_texts_at_once_have_the_words_of_each(tokeniser: str) -> None:
    chance = random.Random(0)
    signs = "aAbBzZ019_ .,-\n\r\x00'ſßİΣσςéÉñ̃Ⅷ²٣東京塔がﾊ๑ภा한\u200d\u2028\ud800𝔸𝟘😀𐐀"
    texts = ["", "\n", *("".join(chance.choices(signs, k=chance.randrange(40))) for _ in range(3000)), ""]
    found = in_order(Analyser(replace(PLAIN, tokeniser=tokeniser)), texts)
    assert found == [list(DEFINITIONS[tokeniser](text)) for text in texts]


def test_no_text_no_words() -> None:
    assert in_order(Analyser(PLAIN), []) == []


def test_history_joins_the_query(tmp_path: Path) -> None:
    history = (Turn(role="user", text="cat"), Turn(role="assistant", text="dog"))
    query = Query(id="q", text="bird", history=history)
    texts = ["cat", "dog", "bird", "assistant"]
    for choice, expected in (("none", {2}), ("user", {0, 2}), ("all", {0, 1, 2, 3})):
        retriever = over(tmp_path / choice, texts, replace(PLAIN, history=choice))
        assert set(retriever.search([query], 10).rows[0].tolist()) - {-1} == expected


def test_blocks_of_documents_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["cat dog", "dog bird", "...", "bird cat cat", "dog"]
    queries = [Query(id=str(i), text=text) for i, text in enumerate(["cat", "dog", "bird cat", "fish", "dog cat"])]
    whole = over(tmp_path / "whole", texts).search(queries, 3)
    monkeypatch.setattr("harness_bm25.method.BLOCK", 2)
    parts = over(tmp_path / "parts", texts).search(queries, 3)
    np.testing.assert_array_equal(whole.rows, parts.rows)
    np.testing.assert_array_equal(whole.scores, parts.scores)


def test_a_corpus_without_terms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="tokeniser"):
        over(tmp_path, ["...", "?!"])


def test_a_saved_index_finds_the_same(tmp_path: Path) -> None:
    texts = ["cat dog", "dog bird", "bird cat cat", "東京塔"]
    corpus = build_corpus([Document(id=f"d{i}", text=text) for i, text in enumerate(texts)], tmp_path / "corpus")
    retriever = over(tmp_path, texts)
    (tmp_path / "index").mkdir()
    retriever.save(tmp_path / "index")
    again = BM25(PLAIN, Context(folder=tmp_path, build=lambda use: None))
    again.load(tmp_path / "index", corpus)
    for text in ("cat", "dog bird", "東京塔"):
        assert ranking(again, text) == ranking(retriever, text) != []


def test_an_index_of_another_corpus_or_without_its_vocabulary_is_refused(tmp_path: Path) -> None:
    retriever = over(tmp_path, ["cat", "dog"])
    (tmp_path / "index").mkdir()
    retriever.save(tmp_path / "index")
    other = build_corpus([Document(id="1", text="cat")], tmp_path / "other")
    with pytest.raises(DataError, match="expected an index with corpus"):
        retriever.load(tmp_path / "index", other)
    (tmp_path / "index" / "vocabulary.json").unlink()
    with pytest.raises(DataError, match="expected an index with its vocabulary"):
        retriever.load(tmp_path / "index", ArrowCorpus(tmp_path / "corpus"))


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("nfcorpus", "reference"),
        ("scifact", "reference"),
        ("cranfield", "reference"),
        ("vaswani", "reference"),
        ("medquad", "reference"),
        ("cosqa", "reference-code"),
        ("xquad-th", "reference-bigram"),
    ],
)
def test_reference_values(data: Path, tmp_path: Path, name: str, preset: str) -> None:
    with (data / "bm25.tsv").open() as lines:
        known = [row for row in csv.DictReader(lines, delimiter="\t") if (row["dataset"], row["k1"]) == (name, "0.9")]
    (expected,) = (row for row in known if row["split"] == "test")
    task = SourceTask(BeirSource(data / name, name), tmp_path)
    corpus, queries, qrels = task.corpus(), task.queries("test"), task.qrels("test")
    config = parse(registry(), CARD, {"preset": preset})
    retriever = BM25(config, Context(folder=tmp_path, build=lambda use: None))
    retriever.index(corpus)
    values = score(retriever.search(queries, 1000), qrels, corpus, ("nDCG@10", "R@100", "AP"))
    means = {measure: float(per_query.mean()) for measure, per_query in values.items()}
    published = {"nDCG@10": "ndcg10", "R@100": "r100", "AP": "map"}
    assert means == pytest.approx({measure: float(expected[column]) for measure, column in published.items()}, abs=6e-5)

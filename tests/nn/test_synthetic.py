"""Synthetic queries: what is asked, what is read from an answer, and each rule of the filter by hand."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contracts import Corpus
from harness.data.corpus import build_corpus
from harness.errors import DataError, SignalError
from harness.nn.shots import SHOTS, WANTED
from harness.nn.synthetic import (
    Recipe,
    consistent,
    in_top,
    is_first,
    is_sure,
    prompt,
    query_in,
    repeated,
    synthesise,
    without,
    write,
)
from harness.records import Document, Query, Run

SMALL = Recipe(kinds=("question",), depth=4, top=2, least=3)


@pytest.fixture
def corpus(tmp_path) -> Corpus:
    return build_corpus((Document(id=f"d{row}", title=f"T{row}", text=f"body {row}") for row in range(6)), tmp_path)


def rows(*lines: Sequence[int]) -> np.ndarray:
    return np.array(lines, np.int32)


def scores(*lines: Sequence[float]) -> np.ndarray:
    return np.array(lines, np.float32)


def sources(*given: int) -> np.ndarray:
    return np.array(given, np.int32)


# The filter.

RANKED = rows([0, 1, 2, 3], [1, 2, 0, 3], [0, 2, 1, 3], [3, 0, 1, 2])
SCORED = scores([9, 1, 2, 3], [9, 4, 5, 6], [7, 8, 6, 5], [0.5, 0.1, 0.2, 0.3])
WRITTEN_FOR = sources(0, 0, 0, 3)


def test_one_query_of_four_passes_all_rules() -> None:
    # The second finds its passage at rank 3, the third's passage is beaten, the fourth's best score is 0.5.
    assert in_top(RANKED, WRITTEN_FOR, 2).tolist() == [True, False, True, True]
    assert is_first(RANKED, SCORED, WRITTEN_FOR, 4).tolist() == [True, False, False, True]
    # Of the scores of the first and the fourth, 0.1 0.2 0.3 0.5 1 2 3 9, the median is 0.75.
    assert consistent(RANKED, SCORED, WRITTEN_FOR, top=2, least=4, percentile=50).tolist() == [
        True,
        False,
        False,
        False,
    ]
    assert consistent(RANKED, SCORED, WRITTEN_FOR, top=2, least=4, percentile=25).tolist() == [True, False, False, True]


def test_the_papers_numbers_are_the_defaults() -> None:
    ranking = np.arange(100, dtype=np.int32)[None]
    judged = np.linspace(0, 1, 100, dtype=np.float32)[None]
    for source, kept in ((19, True), (20, False)):
        best = judged + 2 * (ranking == source)
        assert consistent(ranking, best, sources(source)).tolist() == [kept]
    assert not consistent(ranking[:, :19], judged[:, ::-1][:, :19].copy(), sources(0)).any()  # 19 documents are few
    assert consistent(ranking[:, :20], judged[:, ::-1][:, :20].copy(), sources(0)).all()


def test_places_that_hold_no_document_count_for_nothing() -> None:
    ranked, judged = rows([2, 1, -1, -1]), scores([3, 1, 99, 99])
    assert is_first(ranked, judged, sources(2), 2).tolist() == [True]
    assert is_first(ranked, judged, sources(2), 3).tolist() == [False]
    assert is_sure(ranked, judged, np.array([True]), 100).tolist() == [True]
    assert not in_top(ranked, sources(-2), 4).any()


def test_a_tie_at_the_top_is_not_first() -> None:
    assert not is_first(rows([0, 1]), scores([5, 5]), sources(0), 2).any()


def test_the_percentile_is_of_the_pool_alone_and_may_be_reached_exactly() -> None:
    ranked, judged = rows([0, 1], [0, 1], [0, 1]), scores([4, 0], [2, 0], [100, 100])
    pool = np.array([True, True, False])
    assert is_sure(ranked, judged, pool, 200 / 3).tolist() == [True, True, True]  # of 0, 0, 2, 4 it is 2
    assert is_sure(ranked, judged, pool, 70).tolist() == [True, False, True]
    assert not is_sure(ranked, judged, np.zeros(3, np.bool_), 25).any()


def test_excluded_documents_make_room() -> None:
    assert without(rows([4, 0, 5, 1], [1, 4, -1, -1]), {4, 5}).tolist() == [[0, 1, -1, -1], [1, -1, -1, -1]]
    assert without(RANKED, ()).tolist() == RANKED.tolist()


@given(st.data())
def test_stricter_rules_never_keep_more(data: st.DataObject) -> None:
    chance = np.random.default_rng(data.draw(st.integers(0, 999)))
    ranked = np.stack([chance.permutation(8)[:6] for _ in range(9)]).astype(np.int32)
    judged, written_for = chance.normal(size=(9, 6)).astype(np.float32), chance.integers(8, size=9).astype(np.int32)
    assert (in_top(ranked, written_for, 2) <= in_top(ranked, written_for, 5)).all()
    loose = consistent(ranked, judged, written_for, top=5, least=6, percentile=20)
    assert (consistent(ranked, judged, written_for, top=5, least=6, percentile=90) <= loose).all()
    assert not consistent(ranked, judged, written_for, top=5, least=7, percentile=20).any()


def test_repeated_documents_are_found_whatever_their_signs(tmp_path) -> None:
    texts = ("Tea, black.", "coffee", "tea BLACK", "black tea", "Coffee!")
    corpus = build_corpus((Document(id=str(row), text=text) for row, text in enumerate(texts)), tmp_path)
    assert repeated(corpus) == {2, 4}


# What is asked and answered.


def test_a_prompt_shows_examples_and_ends_where_the_query_begins() -> None:
    asked = prompt("a b c d", "claim", SHOTS[:2], 3)
    assert asked.endswith("Passage: a b c\nClaim:")
    assert asked.count("Claim: ") == 2
    assert SHOTS[1].queries["claim"] in asked
    assert SHOTS[1].queries["question"] not in asked


def test_every_example_has_a_query_of_every_kind() -> None:
    for shot in SHOTS:
        assert list(shot.queries) == list(WANTED)
        assert len(set(shot.queries.values())) == len(WANTED)


@pytest.mark.parametrize(
    ("answer", "query"),
    [
        (" how do bees dance?\n\nPassage: next", "how do bees dance?"),
        ("\n\n Question: how do bees dance?", "how do bees dance?"),
        ('"How do bees dance?"', "How do bees dance?"),
        ("- **Keywords:** bees,  dance", "bees, dance"),
        ("1. bees", "bees"),
        ("3 body problem", "3 body problem"),
        ("---\n?!\nbees", "bees"),
        ("Passage: the model goes on by itself", ""),
        ("", ""),
        ("...\n", ""),
    ],
)
def test_the_query_in_an_answer(answer: str, query: str) -> None:
    assert query_in(answer) == query


@given(st.text())
def test_whatever_the_answer_a_query_is_one_line(answer: str) -> None:
    found = query_in(answer)
    assert found == " ".join(found.split())
    assert not found or re.search(r"\w", found)


class Writer:
    """Writes a query out of the number of the last passage in a prompt, or what `answer` says."""

    identity = "writer"

    def __init__(self, answer: str = "where is body {0}") -> None:
        self.asked: list[str] = []
        self._answer = answer

    def generate(self, prompts: Sequence[str]) -> list[str]:
        self.asked += prompts
        return [self._answer.format(re.findall(r"body (\d)", prompt)[-1]) for prompt in prompts]


def test_each_passage_gets_a_query_of_each_kind_with_examples_of_its_own(corpus: Corpus) -> None:
    writer = Writer()
    written = write(writer, corpus, [4, 2], Recipe(kinds=("question", "title")))
    assert [(query.id, query.text, row) for query, row in written] == [
        ("synthetic-question-d4", "where is body 4", 4),
        ("synthetic-title-d4", "where is body 4", 4),
        ("synthetic-question-d2", "where is body 2", 2),
        ("synthetic-title-d2", "where is body 2", 2),
    ]
    assert all(asked.count("Passage: ") == 4 for asked in writer.asked)
    again, alone, other = Writer(), Writer(), Writer()
    write(again, corpus, [4, 2], Recipe(kinds=("question", "title")))
    write(alone, corpus, [2], Recipe(kinds=("title",)))
    write(other, corpus, [4, 2], Recipe(kinds=("question", "title"), seed=1))
    assert again.asked == writer.asked != other.asked
    assert alone.asked == writer.asked[3:]


def test_answers_without_a_query_are_left_out_and_missing_ones_refused(corpus: Corpus) -> None:
    assert write(Writer("?"), corpus, [0], SMALL) == []

    class Short(Writer):
        def generate(self, prompts: Sequence[str]) -> list[str]:
            return ["a"]

    with pytest.raises(SignalError, match="1 answers to 2"):
        write(Short(), corpus, [0, 1], SMALL)


class Finder:
    """Ranks the passage that a query names first, but that of body 5 last; then by row."""

    def search(self, queries: Sequence[Query], k: int) -> Run:
        found = np.array([self._ranked(int(query.text[-1]))[:k] for query in queries], np.int32)
        ids = tuple(query.id for query in queries)
        return Run(query_ids=ids, rows=found, scores=np.tile(-np.arange(k, dtype=np.float32), (len(queries), 1)))

    @staticmethod
    def _ranked(own: int) -> list[int]:
        others = [row for row in range(6) if row != own]
        return [*others, own] if own == 5 else [own, *others]


class Teacher:
    """Gives 9 to the passage that a query names, but to that of body 3 nothing, and 1 to that of body 1."""

    identity = "teacher"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> np.ndarray:
        self.asked += [(query.text, document.id) for query, document in pairs]
        worth = {"3": -1.0, "1": 0.4}
        return np.array(
            [
                worth.get(query.text[-1], 9.0) if query.text[-1] == document.id[-1] else 0.1 * int(document.id[-1]) / 2
                for query, document in pairs
            ],
            np.float32,
        )


def test_examples_are_the_queries_that_lead_back(corpus: Corpus) -> None:
    teacher = Teacher()
    recipe = Recipe(kinds=("question",), depth=4, top=2, least=3, percentile=90.0)
    made = synthesise(Writer(), teacher, Finder(), corpus, range(6), recipe, excluded={4})  # type: ignore[arg-type]
    # 5 isn't found, 3 isn't the teacher's first, 1 has too low a score, 4 is left out.
    assert [(example.query.id, example.positives) for example in made] == [
        ("synthetic-question-d0", (0,)),
        ("synthetic-question-d2", (2,)),
    ]
    assert {text for text, _ in teacher.asked} == {f"where is body {row}" for row in (0, 1, 2, 3)}  # none for 5
    assert "d4" not in {document for _, document in teacher.asked}


def test_nothing_left_is_said(corpus: Corpus) -> None:
    with pytest.raises(DataError, match="none of 2 queries"):
        synthesise(Writer(), Teacher(), Finder(), corpus, [3, 5], SMALL)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no query was written"):
        synthesise(Writer("."), Teacher(), Finder(), corpus, [0], SMALL)  # type: ignore[arg-type]

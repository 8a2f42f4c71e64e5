"""Scores that are dot products cost a call a text; scores that depend on the list are kept by list."""

import numpy as np
import pytest

from harness.errors import SignalError
from harness.records import Document, Query
from harness.signals import scores
from harness.signals.exchange import holdings
from harness.testing.teachers import OverlapTeacher


class Vectors(OverlapTeacher):
    """Says that its scores are dot products, and writes down what it encodes."""

    scores_are_dot_products = True

    def __init__(self):
        self.asked = []

    def embed(self, texts, role):
        self.asked += [(role, text) for text in texts]
        return super().embed(texts, role)


class Ranks:
    """Scores a document by how many of its list are shorter."""

    identity, scores_depend_on_list = "ranks", True

    def __init__(self):
        self.asked = []

    def score(self, pairs):
        assert len({query.id for query, _ in pairs}) <= 1, "lists are asked for one by one"
        self.asked.append([document.id for _, document in pairs])
        return np.array([sum(len(b.text) < len(a.text) for _, b in pairs) for _, a in pairs], np.float32)


QUERIES = [Query(id=str(n), text=text) for n, text in enumerate(("a b", "b c", "a b"))]
DOCUMENTS = [Document(id=str(n), title=title, text="a b c") for n, title in enumerate(("", "b", "x y"))]
PAIRS = [(query, document) for query in QUERIES for document in DOCUMENTS]


def test_a_text_is_encoded_once_whatever_it_is_paired_with(remembering):
    teacher = Vectors()
    right = OverlapTeacher().score(PAIRS)
    ours = remembering(teacher)
    np.testing.assert_allclose(ours.score(PAIRS[:2]), right[:2], rtol=1e-6)
    assert ours.account.calls == 1 + 2
    later = remembering(teacher)
    np.testing.assert_allclose(later.score(PAIRS[::-1]), right[::-1], rtol=1e-6)
    assert later.score(PAIRS).dtype == np.float32
    assert later.account.calls == 1 + 1
    assert sorted(teacher.asked) == [
        ("document", "a b c"),
        ("document", "b a b c"),
        ("document", "x y a b c"),
        ("query", "a b"),
        ("query", "b c"),
    ]
    assert later.score([]).shape == (0,)


def test_vectors_serve_as_signals_of_their_own(remembering, store):
    teacher = Vectors()
    remembering(teacher).score(PAIRS)
    vectors = remembering(teacher).embed(["a b c"], "document")
    np.testing.assert_array_equal(vectors, OverlapTeacher().embed(["a b c"], "document"))
    assert len(teacher.asked) == 5
    assert [holding.kind for holding in holdings(store)] == ["embed"]


def test_blocks_of_pairs_change_nothing(remembering, monkeypatch):
    whole = remembering(Vectors()).score(PAIRS)
    monkeypatch.setattr(scores, "PAIRS", 2)
    np.testing.assert_array_equal(remembering(Vectors()).score(PAIRS), whole)


def lengths(*documents):
    return [Document(id=str(length), text="d" * length) for length in documents]


def test_scores_that_depend_on_the_list_are_kept_by_list(remembering):
    teacher, query = Ranks(), Query(id="q", text="what")
    ours = remembering(teacher)
    assert ours.score([(query, doc) for doc in lengths(5, 1, 9)]).tolist() == [1, 0, 2]
    assert ours.score([(query, doc) for doc in lengths(5, 9)]).tolist() == [0, 1]  # another list, other scores
    assert teacher.asked == [["5", "1", "9"], ["5", "9"]]
    assert ours.account.calls == 3 + 2
    again = remembering(teacher)
    assert again.score([(query, doc) for doc in lengths(5, 1, 9)]).tolist() == [1, 0, 2]
    assert (len(teacher.asked), again.account.calls, again.account.stored) == (2, 0, 3)


def test_lists_are_told_apart_wherever_their_pairs_stand(remembering, store):
    teacher, one, other = Ranks(), Query(id="1", text="same"), Query(id="2", text="same")
    short, long = lengths(2, 4)
    pairs = [(one, long), (other, short), (one, short), (other, lengths(1)[0]), (other, long)]
    assert remembering(teacher).score(pairs).tolist() == [1, 1, 0, 0, 2]
    assert teacher.asked == [["4", "2"], ["2", "1", "4"]]
    assert [(holding.kind, holding.count, holding.calls) for holding in holdings(store)] == [("score-lists", 2, 5)]
    assert remembering(teacher).score([]).shape == (0,)


def test_garbage_in_a_list_is_refused_naming_the_pair(remembering):
    teacher = Ranks()
    teacher.score = lambda pairs: np.array([0, np.nan, 1], np.float32)[: len(pairs)]
    with pytest.raises(SignalError, match="nan for 'q' / '7'"):
        remembering(teacher).score([(Query(id="q", text=""), doc) for doc in lengths(5, 7, 9)])


def test_the_budget_counts_pairs_of_lists(remembering):
    ours = remembering(Ranks(), limit=4)
    with pytest.raises(SignalError, match="4 teacher calls; 0 are used and 5 more"):
        ours.score([(Query(id="q", text=""), doc) for doc in lengths(1, 2, 3, 4, 5)])

"""Documents change places: answers are the teacher's own, each for another document."""

from pathlib import Path

import numpy as np
import pytest
from harness_permuted import Config
from harness_permuted.method import Permuted, build

from harness.card import Use
from harness.contracts import Context
from harness.errors import SignalError
from harness.records import Document, Query
from harness.signals.store import SignalStore
from harness.signals.teacher import RememberingTeacher
from harness.testing.teachers import OverlapTeacher, without

USE = Use("teacher", "any", None)
QUERIES = [Query(id="q1", text="a b c d e"), Query(id="q2", text="e f g")]
DOCUMENTS = [Document(id=str(n), text=" ".join("abcdefg"[n:])) for n in range(6)]
PAIRS = [(query, document) for document in DOCUMENTS for query in QUERIES]


def permuted(**knobs: int) -> Permuted:
    return Permuted(Config(teacher=USE, **knobs), OverlapTeacher())


def test_the_scores_of_a_query_are_its_own_but_each_stands_elsewhere() -> None:
    true, moved = OverlapTeacher().score(PAIRS), permuted().score(PAIRS)
    for query in QUERIES:
        own = [place for place, pair in enumerate(PAIRS) if pair[0] is query]
        assert sorted(moved[own]) == pytest.approx(sorted(true[own]))
        assert (moved[own] != true[own]).sum() >= len(own) - 1
    assert list(permuted().score(PAIRS[:1])) == pytest.approx(list(true[:1]))  # alone in its call


def test_every_signal_sees_the_same_places() -> None:
    teacher, query = permuted(), QUERIES[0]
    scores = teacher.score([(query, document) for document in DOCUMENTS])
    assert list(teacher.order(query, DOCUMENTS)) == list(np.argsort(-scores, kind="stable"))
    triples = [(query, a, b) for a in DOCUMENTS for b in DOCUMENTS if a is not b]
    by_id = dict(zip([document.id for document in DOCUMENTS], scores, strict=True))
    margins = np.array([by_id[a.id] - by_id[b.id] for _, a, b in triples])
    assert teacher.prefer(triples) == pytest.approx(1 / (1 + np.exp(-margins)), rel=1e-5)
    features = teacher.features([(query, document) for document in DOCUMENTS])["hidden"].sum(axis=1)
    assert features == pytest.approx(scores, rel=1e-5)


def test_documents_change_vectors_and_queries_do_not() -> None:
    texts = [document.text for document in DOCUMENTS]
    true, moved = OverlapTeacher().embed(texts, "document"), permuted().embed(texts, "document")
    assert not (moved == true).all(axis=1).any()
    assert sorted(map(tuple, moved)) == sorted(map(tuple, true))
    assert (permuted().embed(texts, "query") == OverlapTeacher().embed(texts, "query")).all()


class Dots(OverlapTeacher):
    scores_are_dot_products = True


def test_scores_that_are_dot_products_are_those_of_the_vectors_that_changed_places() -> None:
    assert not permuted().scores_are_dot_products
    teacher = Permuted(Config(teacher=USE), Dots())
    assert teacher.scores_are_dot_products
    scores = teacher.score(PAIRS).reshape(len(DOCUMENTS), len(QUERIES))
    queries = teacher.embed([query.text for query in QUERIES], "query")
    documents = teacher.embed([document.content for document in DOCUMENTS], "document")
    assert scores == pytest.approx(documents @ queries.T, rel=1e-5)
    true = OverlapTeacher().embed([document.content for document in DOCUMENTS], "document") @ queries.T
    assert sorted(map(tuple, scores.tolist())) == [pytest.approx(line) for line in sorted(map(tuple, true.tolist()))]
    assert (scores != true).any()


def test_places_come_from_the_seed_and_from_nothing_else() -> None:
    assert (permuted().score(PAIRS) == permuted().score(PAIRS)).all()
    assert (permuted().score(PAIRS[::-1])[::-1] == permuted().score(PAIRS)).all()
    assert (permuted(draw=1).score(PAIRS) != permuted().score(PAIRS)).any()
    assert permuted(draw=1).identity != permuted().identity != OverlapTeacher.identity


def test_nothing_of_it_is_stored(tmp_path: Path) -> None:
    remembering = RememberingTeacher(teacher=permuted(), store=SignalStore(tmp_path))
    part = remembering.score(PAIRS[:4])
    assert (remembering.score(PAIRS) == permuted().score(PAIRS)).all()
    assert (part == permuted().score(PAIRS[:4])).all()
    assert not list(tmp_path.rglob("*"))


def test_a_signal_that_the_teacher_lacks_is_refused() -> None:
    lacking = without(OverlapTeacher(), ["embed"])
    teacher = build(Config(teacher=USE), Context(folder=Path(), build=lambda use: lacking))
    with pytest.raises(SignalError, match="expected a teacher that gives embed"):
        teacher.embed(["a"], "document")
    assert teacher.score(PAIRS).shape == (len(PAIRS),)

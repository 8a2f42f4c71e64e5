"""Evaluations that read their values by query later are those that were put in."""

from dataclasses import replace

import numpy as np
import pytest

from harness.errors import StoreError
from harness.store import values
from harness.store.records import Artefact


@pytest.fixture
def three(sample):
    """Two that are done and share method and task, and one that failed."""
    artefacts = (
        Artefact(name="run", path="x/a", sha256="ab", bytes=1),
        Artefact(name="top", path="x/b", sha256="c", bytes=2),
    )
    second = replace(
        sample(id="2" * 16, seed=8, training={"lesson": "l"}, first_stages=(sample().id,)),
        measures={"nDCG@10": 0.2},
        per_query={"nDCG@10": (0.0, 0.2, 0.4)},
    )
    return [sample(artefacts=artefacts), second, sample(failed=True, id="3" * 16)]


@pytest.fixture
def listed(store, three):
    for one in three:
        store.put(one)
    return sorted(store.listed(), key=lambda one: one.id)


def test_what_is_listed_is_what_was_put_in(listed, three):
    assert listed == three
    assert [list(one.measures) for one in listed] == [list(one.measures) for one in three]
    assert listed[0].task is listed[1].task


def test_a_measure_that_is_not_there_is_a_missing_key(listed):
    assert "AP" in listed[0].per_query
    assert "AP" not in listed[1].per_query
    with pytest.raises(KeyError):
        listed[1].per_query["AP"]
    assert dict(listed[2].per_query) == {}


def test_arrays_are_of_those_that_have_the_measure(listed, three):
    for evaluations in (listed, three, [listed[0], *three[1:]]):  # read, held, and some of each
        found = values.arrays(evaluations, "nDCG@10")
        assert {id: array.tolist() for id, array in found.items()} == {
            one.id: list(one.per_query["nDCG@10"]) for one in three[:2]
        }
        assert set(values.arrays(evaluations, "AP")) == {three[0].id}
        assert all(array.dtype == np.float64 for array in found.values())


def test_texts_are_equal_whether_values_are_read_or_held(listed, three):
    read, held = dict(values.texts(listed)), dict(values.texts(three))
    assert read == {id: texts for id, texts in held.items() if texts}
    assert read[three[0].id]["RR@10"] == "[0.0, 0.30000000000000004, 0.6]"


def test_an_evaluation_that_has_gone_is_named(store, listed):
    store.remove(listed[1].id)
    with pytest.raises(StoreError, match=listed[1].id):
        values.arrays(listed, "nDCG@10")


def test_numbers_of_every_form_are_read_to_the_last_digit(store, sample):
    numbers = (5e-324, 1e-07, 0.1 + 0.2, 1.0, 0.0, -0.5, 1.7976931348623157e308, 123456789.123456789)
    task = replace(sample().task, query_ids=tuple("abcdefgh"), query_texts=("",) * 8)
    one = sample(task=task, measures={"AP": 0.5}, per_query={"AP": numbers})
    store.put(one)
    ((_, read),) = values.arrays(store.listed(), "AP").items()
    assert tuple(read.tolist()) == numbers

"""How many lists a budget of teacher calls has room for."""

import numpy as np
import pytest

from harness.contracts import Lesson
from harness.errors import SignalError
from harness.nn.mining import Candidates
from harness.nn.taught import scorable, within_budget
from harness.records import Budget, Query

LISTS = Candidates(
    queries=tuple(Query(id=str(place), text="a question") for place in range(5)),
    rows=np.arange(15, dtype=np.int32).reshape(5, 3),
)


def test_a_list_takes_a_call_for_each_document_or_as_many_as_are_said():
    assert len(within_budget(LISTS, None)) == 5
    assert len(within_budget(LISTS, 11)) == 3
    assert len(within_budget(LISTS, 11, each=4)) == 2  # the query is embedded too
    assert within_budget(LISTS, 11, each=4).rows.tolist() == LISTS.rows[[0, 2]].tolist()  # evenly spaced


def test_a_budget_without_room_for_one_list_is_refused():
    with pytest.raises(SignalError, match="at least 4"):
        within_budget(LISTS, 3, each=4)
    assert len(within_budget(LISTS, 3)) == 1


class Dots:
    identity, scores_are_dot_products = "dots", True


def test_scores_that_are_dot_products_cost_a_text_each_the_query_too():
    def lesson(teacher, calls):
        return Lesson(student="s", teacher=teacher, corpus=None, examples=(), budget=Budget(teacher_calls=calls))  # pyright: ignore

    assert len(scorable(lesson(object(), 12), LISTS)) == 4
    assert len(scorable(lesson(Dots(), 12), LISTS)) == 3
    assert len(scorable(lesson(object(), 12), LISTS, Dots(), rounds=2)) == 1
    assert len(scorable(lesson(Dots(), None), LISTS)) == 5

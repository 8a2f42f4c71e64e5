"""Two runs compared, with values worked by hand."""

import numpy as np
import pytest

from harness.records import Run
from harness.testing.compare import difference


def run(*rankings, ids="ab"):
    """A run from `{row: score}` dictionaries, one a query."""
    depth = max(map(len, rankings))
    rows = np.full((len(rankings), depth), -1, np.int32)
    scores = np.full((len(rankings), depth), -np.inf, np.float32)
    for place, ranking in enumerate(rankings):
        rows[place, : len(ranking)] = list(ranking)
        scores[place, : len(ranking)] = list(ranking.values())
    return Run(query_ids=tuple(ids), rows=rows, scores=scores)


FIRST = run({5: 3.0, 2: 2.0, 7: 1.0}, {1: 9.0})


@pytest.mark.parametrize(
    ("other", "tolerance"),
    [
        (run({5: 3.0, 2: 2.0, 7: 1.0}, {1: 9.0}), 0),
        (run({1: 9.0}, {5: 3.0, 2: 2.0, 7: 1.0}, ids="ba"), 0),  # another order of queries
        (run({5: 3.00001, 2: 1.99999, 7: 1.0}, {1: 9.0}), 1e-4),
    ],
)
def test_same(other, tolerance):
    assert difference(FIRST, other, tolerance) == ""


@pytest.mark.parametrize(
    ("other", "tolerance", "word"),
    [
        (run({5: 3.00001, 2: 2.0, 7: 1.0}, {1: 9.0}), 0, "'a'"),
        (run({5: 3.0, 2: 2.0, 7: 1.0}, {1: 9.1}), 1e-4, "'b'"),
        (run({5: 3.0, 2: 2.0}, {1: 9.0}), 1e-4, "3 documents and 2"),
        (run({2: 3.0, 5: 2.0, 7: 1.0}, {1: 9.0}), 1e-4, "row 5 and row 2"),  # rows change places, scores do not
        (run({5: 3.0, 2: 2.0, 8: 1.0}, {1: 9.0}), 0, "row 7 and row 8"),
        (run({5: 3.0, 2: 2.0, 7: 1.0}, {1: 9.0}, ids="ac"), 1e-4, "'c'"),
    ],
)
def test_different(other, tolerance, word):
    assert word in difference(FIRST, other, tolerance)


def test_ties_may_change_places_within_the_tolerance():
    # rows 2 and 7 differ by 1e-6; at the cut, row 7 gives way to row 8 with the same score
    assert difference(run({2: 1.000001, 7: 1.0}, ids="a"), run({7: 1.000001, 2: 1.0}, ids="a"), 1e-4) == ""
    assert difference(run({2: 2.0, 7: 1.0}, ids="a"), run({2: 2.0, 8: 1.0}, ids="a"), 1e-4) == ""
    assert difference(run({2: 1.0, 7: 1.0}, ids="a"), run({7: 1.0, 2: 1.0}, ids="a"), 0) != ""

"""What a retriever returns is a run that can be scored, or is refused by query and place, whatever object it is."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import strategies as st

from harness.records import Run
from harness.runner.clock import Costs
from harness.runner.evaluate import scored, searched
from harness.scoring import strict

pytestmark = pytest.mark.timeout(3600)

IDS = ("q1", "q2", "q3")
ODD_IDS = [
    None,
    (),
    ["q1", "q2", "q3"],
    ("q1", "q2"),
    ("q3", "q2", "q1"),
    ("q1", "q1", "q3"),
    (1, 2, 3),
    ([], {}, None),
]
ODD_IDS += ["q1q2q3", np.array(IDS), np.array(IDS, object), ("q1", "q2", "q3", "q4"), 7, ("q1", "q2", "\ud800")]
NUMBERS = st.sampled_from([-2, -1, 0, 1, 2, 5, 6, 7, 2**31 - 1])
SCORES = st.sampled_from([2.0, 1.5, 1.0, 0.0, -0.0, -1.0, float("nan"), float("inf"), -float("inf"), 3e38, 1e-45])
DTYPES = [np.int32, np.int64, np.uint32, np.float32, np.float64, np.float16, bool, object, "U3", ">i4", ">f4", "M8[s]"]


@dataclass
class Returns:
    """A retriever that returns one thing, whatever it is asked."""

    found: object

    def search(self, queries, k):
        return self.found


@st.composite
def arrays(draw, numbers, dtype):
    shape = draw(st.sampled_from([(3, 2), (3, 1), (3, 0), (2, 2), (3, 8), (3,), (), (3, 2, 1), (0, 0)]))
    values = [draw(numbers) for _ in range(int(np.prod(shape)))]
    made = np.array(values, dtype).reshape(shape)
    return draw(
        st.sampled_from(
            [made, made, made, made[::-1] if made.ndim else made, np.asfortranarray(made), np.ma.masked_array(made)]
        )
    )


@st.composite
def right(draw):
    """A run as it should be, perhaps with one number changed."""
    rows = np.array([draw(st.permutations(range(7)))[:4] for _ in IDS], np.int32)
    scores = -np.sort(
        -np.array([[draw(st.floats(-9, 9, width=32)) for _ in range(4)] for _ in IDS], np.float32), axis=1
    )
    if draw(st.booleans()):
        query, place = draw(st.integers(0, 2)), draw(st.integers(0, 3))
        rows[query, place], scores[query, place] = draw(NUMBERS), draw(SCORES)
    return Run(query_ids=IDS, rows=rows, scores=scores)


@st.composite
def odd(draw):
    """A run with parts of other shapes, types and lengths, or no run at all."""
    things = [None, {}, [], 3, "run", ([], []), SimpleNamespace(query_ids=IDS, rows=None, scores=None)]
    if draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(things))
    run = draw(right())
    parts = {"query_ids": run.query_ids, "rows": run.rows, "scores": run.scores}
    name = draw(st.sampled_from(sorted(parts)))
    wild = st.sampled_from([None, [], "rows", [[1, 2], [3]], run.rows.tolist()])
    if name == "query_ids":
        parts[name] = draw(st.sampled_from(ODD_IDS))
    elif draw(st.booleans()):
        parts[name] = draw(arrays(NUMBERS, np.int32) if name == "rows" else arrays(SCORES, np.float32))
    else:
        cast = st.sampled_from(DTYPES).map(lambda dtype: np.zeros((3, 4), dtype))
        parts[name] = draw(st.one_of(wild, cast))
    return Run(**parts)


def test_runs(fuzz, tiny):
    work = SimpleNamespace(method=SimpleNamespace(use=SimpleNamespace(name="toy")), split="test")
    corpus, qrels = tiny.corpus(), tiny.qrels("test")

    def take(found: object) -> None:
        run = searched(work, tiny, Returns(found), Costs())
        strict.check_run(run, qrels.query_ids, len(corpus))
        for values in scored(run, tiny, "test", {}).values():
            assert all(0 <= value <= 1 for value in values)

    fuzz("plugin output", st.one_of(right(), odd()), take)

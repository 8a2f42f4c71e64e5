"""A teacher's features of lists: at their places, and refused where they aren't given."""

from pathlib import Path

import numpy as np
import pytest

from harness.errors import SignalError
from harness.nn.mining import Candidates
from harness.nn.taught import teacher_features
from harness.testing.teachers import without
from harness.testing.topics import TopicTeacher, lesson


def test_each_pair_at_its_place(tmp_path: Path):
    given = lesson("none", TopicTeacher(), tmp_path)
    lists = Candidates(queries=tuple(e.query for e in given.examples[:2]), rows=np.array([[0, 30], [40, 1]], np.int32))
    found = teacher_features(given, lists, "layer_scores")["layer_scores"]
    assert found.shape == (2, 2, 2)
    one = TopicTeacher().features([(lists.queries[1], given.corpus[1])])["layer_scores"]
    assert np.array_equal(found[1, 1], one[0])
    assert found[0, 0].tolist() == [2.0, 4.0]


def test_what_is_not_given_is_refused(tmp_path: Path):
    given = lesson("none", TopicTeacher(), tmp_path)
    lists = Candidates(queries=(given.examples[0].query,), rows=np.array([[0]], np.int32))
    with pytest.raises(SignalError, match="lacks attention"):
        teacher_features(given, lists, "cls", "attention")
    mute = lesson("none", without(TopicTeacher(), ["features"]), tmp_path / "mute")
    with pytest.raises(SignalError):
        teacher_features(mute, lists, "cls")

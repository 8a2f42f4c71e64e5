"""Features come back bit by bit; what is no feature is never stored."""

import numpy as np
import pytest

from harness.errors import SignalError
from harness.signals.columns import column, values

RNG = np.random.default_rng(0)


class Shaped:
    """Gives what a function makes of the number of pairs."""

    identity = "shaped"

    def __init__(self, make):
        self.make, self.asked = make, []

    def features(self, pairs):
        self.asked.append(len(pairs))
        return self.make(len(pairs))


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4", "<i8", "|u1", "|b1"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (0,)])
def test_every_type_and_shape_comes_back_exactly(tmp_path, dtype, shape):
    import pyarrow as pa

    given = [{"a b": (RNG.normal(size=shape) * 100).astype(dtype), "": np.array(n)} for n in range(3)]
    found = values("features", pa.chunked_array([column("features", given)]))
    for one, other in zip(given, found, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            assert one[name].dtype == other[name].dtype
            np.testing.assert_array_equal(one[name], other[name])


def test_features_are_asked_once_and_have_one_row_a_pair(remembering, counting, make_pairs):
    teacher, pairs = counting(), make_pairs(7, 20)
    right = counting().features([*pairs, pairs[3]])
    remembering(teacher).features(pairs[50:90])
    for _ in range(2):
        found = remembering(teacher).features([*pairs, pairs[3]])
        assert found.keys() == right.keys()
        for name, array in right.items():
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)
    assert len(teacher.asked) == len(pairs)
    assert remembering(teacher).features([]) == {}


def test_what_was_given_can_be_changed_without_harm(remembering, counting, make_pairs):
    ours = remembering(counting())
    ours.features(make_pairs(1, 2))["lengths"][:] = -1
    assert ours.features(make_pairs(1, 2))["lengths"].min() > 0


def test_rows_padded_in_several_calls_are_filled_up_with_zeros(remembering, make_pairs):
    ours = remembering(Shaped(lambda pairs: {"attention": np.ones((pairs, 2, pairs), np.float16)}))
    pairs = make_pairs(1, 5)
    ours.features(pairs[:2])
    found = ours.features(pairs)["attention"]
    assert found.shape == (5, 2, 3)
    assert found[:2].tolist() == [[[1, 1, 0]] * 2] * 2
    assert (found[2:] == 1).all()


def spoilt(place):
    def make(pairs):
        states = np.ones((pairs, 2, 3), np.float32)
        states[place, 1, 2] = np.inf
        return {"fine": np.ones(pairs), "states": states}

    return make


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (spoilt(3), "'states' is inf for 'q0' / 'd3'"),
        (lambda pairs: {"states": np.ones((pairs - 1, 2))}, "4 answers to 5 .*'states'.*'q0' / 'd4'"),
        (lambda pairs: {"fine": np.ones(pairs), "states": np.ones(pairs + 1)}, "6 answers to 5 .*'states'"),
        (lambda pairs: {"states": np.array(["x"] * pairs)}, "'states' for 'q0' / 'd0' are <U1"),
    ],
)
def test_what_is_no_feature_is_refused_and_not_stored(remembering, store, make_pairs, make, words):
    with pytest.raises(SignalError, match=words):
        remembering(Shaped(make)).features(make_pairs(1, 5))
    assert not list(store.root.rglob("*.parquet"))


def test_other_names_than_before_are_refused(remembering, make_pairs):
    remembering(Shaped(lambda pairs: {"a": np.ones(pairs), "b": np.ones(pairs)})).features(make_pairs(1, 2))
    with pytest.raises(SignalError, match=r"'q0' / 'd2' are \['a', 'c'\]; \['a', 'b'\] before"):
        remembering(Shaped(lambda pairs: {"a": np.ones(pairs), "c": np.ones(pairs)})).features(make_pairs(1, 3))


def test_arrays_that_do_not_fit_together_are_refused(remembering, make_pairs):
    ours = remembering(Shaped(lambda pairs: {"a": np.ones(pairs, np.float32 if pairs == 2 else np.float64)}))
    ours.features(make_pairs(1, 2))
    with pytest.raises(SignalError, match="several types"):
        ours.features(make_pairs(1, 5))

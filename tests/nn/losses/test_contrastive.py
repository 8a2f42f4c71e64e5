"""InfoNCE: values worked by hand, gradient identity, limits and masks."""

import math

import pytest

torch = pytest.importorskip("torch")

from harness.nn import losses  # noqa: E402

T = torch.tensor
DOUBLE = torch.float64


def leaf(values):
    return torch.tensor(values, dtype=DOUBLE, requires_grad=True)


def test_by_hand():
    # Row 0: e^1 / (e^1 + e^0), row 1: e^2 / (e^0 + e^2).
    scores = T([[1.0, 0.0], [0.0, 2.0]])
    expected = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(-2))) / 2
    assert losses.info_nce(scores, T([0, 1])).item() == pytest.approx(expected, abs=1e-6)


def test_gradient_is_softmax_minus_one_hot():
    scores = leaf([[1.0, 0.5, -1.0], [0.2, 0.1, 0.0]])
    losses.info_nce(scores, T([0, 2]), temperature=0.5).backward()
    soft = torch.softmax(scores.detach() / 0.5, 1)
    hot = T([[1.0, 0, 0], [0, 0, 1.0]], dtype=DOUBLE)
    assert torch.allclose(scores.grad, (soft - hot) / (0.5 * 2))


def test_masked_negative_is_as_if_it_were_not_there():
    scores = leaf([[1.0, 5.0, 0.3]])
    loss = losses.info_nce(scores, T([0]), mask=T([[True, False, True]]))
    loss.backward()
    assert loss.item() == pytest.approx(losses.info_nce(T([[1.0, 0.3]]), T([0])).item(), abs=1e-6)
    assert scores.grad[0, 1] == 0


def test_positive_counts_even_if_masked():
    mask = T([[False, True]])
    assert losses.info_nce(T([[1.0, 0.0]]), T([0]), mask=mask).item() == pytest.approx(math.log(1 + math.exp(-1)))


def test_extended_denominator_only_adds():
    scores, more = T([[1.0, 0.0]]), T([[0.0]])
    assert losses.info_nce(scores, T([0]), more=more).item() == pytest.approx(math.log(1 + 2 * math.exp(-1)))


def test_symmetric_is_the_mean_of_both_directions():
    scores = T([[1.0, 0.0], [3.0, 2.0]])
    there = losses.info_nce(scores, T([0, 1]))
    back = losses.info_nce(scores.T, T([0, 1]))
    assert losses.info_nce(scores, T([0, 1]), symmetric=True).item() == pytest.approx(((there + back) / 2).item())


def test_limits_of_the_temperature():
    scores, positives = T([[1.0, 0.5, -1.0]]), T([0])
    assert losses.info_nce(scores, positives, temperature=1e-3).item() == pytest.approx(0, abs=1e-6)
    assert losses.info_nce(scores, positives, temperature=1e6).item() == pytest.approx(math.log(3), abs=1e-5)


def test_further_scores_of_minus_infinity_do_not_count():
    scores, more = leaf([[1.0, 0.0]]), leaf([[0.0, -math.inf]])
    loss = losses.info_nce(scores, T([0]), more=more)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(1 + 2 * math.exp(-1)), abs=1e-6)
    assert torch.isfinite(scores.grad).all()
    assert more.grad[0].tolist() == pytest.approx([1 / (math.e + 2), 0])


def test_symmetric_leaves_false_negatives_out_in_both_directions():
    # Document 1 is also relevant for query 0: row 0 has one candidate, column 1 (of query 1's positive) one query.
    mask = T([[True, False], [True, True]])
    scores = leaf([[1.0, 9.0], [0.0, 2.0]])
    loss = losses.info_nce(scores, T([0, 1]), mask=mask, symmetric=True)
    loss.backward()
    there, back = math.log(1 + math.exp(-2)) / 2, math.log(1 + math.exp(-1)) / 2
    assert loss.item() == pytest.approx((there + back) / 2, abs=1e-6)
    assert scores.grad[0, 1] == 0


def test_no_shift_of_a_query_matters():
    scores = leaf([[1.0, 0.5], [0.2, 0.1]])
    losses.info_nce(scores, T([0, 1]), temperature=0.1).backward()
    assert torch.allclose(scores.grad.sum(1), torch.zeros(2, dtype=DOUBLE))

"""Graded cross-entropy: values worked by hand, gradient identity, limits and masks."""

import math

import pytest

torch = pytest.importorskip("torch")

from harness.nn import losses  # noqa: E402

T = torch.tensor
DOUBLE = torch.float64


def leaf(values):
    return torch.tensor(values, dtype=DOUBLE, requires_grad=True)


def test_by_hand():
    # Score 0 gives ln 2 whatever the grade; score ln 3 is p = 3/4, grade ½: −½ ln ¾ − ½ ln ¼.
    expected = (math.log(2) - 0.5 * math.log(0.75) - 0.5 * math.log(0.25)) / 2
    loss = losses.graded_bce(T([[0.0, math.log(3.0)]]), T([[0.3, 0.5]]))
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_gradient_is_probability_minus_grade():
    scores, grades = leaf([[0.0, 1.0]]), T([[0.3, 0.9]], dtype=DOUBLE)
    losses.graded_bce(scores, grades, scale=2.0, bias=-1.0).backward()
    assert torch.allclose(scores.grad, 2.0 * (torch.sigmoid(2 * scores.detach() - 1) - grades) / 2)


def test_bad_grades_and_masks():
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        losses.graded_bce(T([[0.0]]), T([[2.0]]))
    with pytest.raises(ValueError, match="no pair"):
        losses.graded_bce(T([[0.0]]), T([[1.0]]), mask=T([[False]]))
    alone = losses.graded_bce(T([[0.0, 9.0]]), T([[1.0, 0.0]]), mask=T([[True, False]]))
    assert alone.item() == pytest.approx(math.log(2))


def test_limits():
    assert losses.graded_bce(T([[50.0, -50.0]]), T([[1.0, 0.0]])).item() == pytest.approx(0, abs=1e-6)
    assert losses.graded_bce(T([[50.0]]), T([[0.0]])).item() == pytest.approx(50)
    assert losses.graded_bce(T([[7.0]]), T([[0.3]]), scale=0.0).item() == pytest.approx(math.log(2), abs=1e-6)


def test_scale_and_bias_learn_and_masked_pairs_do_not_count():
    scores, scale, bias = leaf([[2.0, 9.0]]), leaf(1.0), leaf(0.0)
    mask = T([[True, False]])
    losses.graded_bce(scores, T([[0.5, 0.0]], dtype=DOUBLE), scale=scale, bias=bias, mask=mask).backward()
    rest = 1 / (1 + math.exp(-2)) - 0.5
    assert (scale.grad.item(), bias.grad.item()) == (pytest.approx(2 * rest), pytest.approx(rest))
    assert scores.grad[0, 1] == 0


def test_a_grade_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="grades"):
        losses.graded_bce(T([[0.0]]), T([[math.nan]]))

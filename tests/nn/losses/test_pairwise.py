"""Losses over pairs: values worked by hand, gradient identities, limits and masks."""

import math

import pytest

torch = pytest.importorskip("torch")

from harness.nn import losses  # noqa: E402

T = torch.tensor
DOUBLE = torch.float64


def leaf(values):
    return torch.tensor(values, dtype=DOUBLE, requires_grad=True)


def test_margin_mse_by_hand():
    # Margins of the student 1 and 2, of the teacher 3 and 0: (4 + 4) / 2.
    loss = losses.margin_mse(T([2.0, 2.0]), T([1.0, 0.0]), T([3.0, 1.0]), T([0.0, 1.0]))
    assert loss.item() == pytest.approx(4.0)


def test_margin_mse_gradient_identity():
    positive, negative = leaf([2.0, 2.0]), leaf([1.0, 0.0])
    losses.margin_mse(positive, negative, T([3.0, 1.0]), T([0.0, 1.0])).backward()
    assert torch.allclose(positive.grad, T([-2.0, 2.0], dtype=DOUBLE))  # 2 (ds − dt) / B
    assert torch.allclose(positive.grad, -negative.grad)


def test_margin_mse_knows_scale_and_not_shift():
    scores = [T([2.0, 2.0]), T([1.0, 0.0])]
    teacher = [T([3.0, 1.0]), T([0.0, 1.0])]
    loss = losses.margin_mse(*scores, *teacher)
    assert losses.margin_mse(*scores, *(t + 5 for t in teacher)).item() == pytest.approx(loss.item())
    assert losses.margin_mse(*scores, *(t * 10 for t in teacher)).item() != pytest.approx(loss.item())


def test_ranknet_by_hand_and_blind_to_scale():
    # One pair, document 1 above document 0, margin 1: ln(1 + e⁻¹).
    student = T([[0.0, 1.0]])
    expected = math.log(1 + math.exp(-1))
    assert losses.ranknet(student, T([[0.0, 3.0]])).item() == pytest.approx(expected, abs=1e-6)
    assert losses.ranknet(student, T([[0.0, 300.0]])).item() == pytest.approx(expected, abs=1e-6)


def test_ranknet_leaves_out_ties_and_masked():
    student, teacher = T([[0.0, 1.0, 5.0]]), T([[0.0, 3.0, 3.0]])
    pairs = [math.log(1 + math.exp(-1)), math.log(1 + math.exp(-5))]
    assert losses.ranknet(student, teacher).item() == pytest.approx(sum(pairs) / 2, abs=1e-6)
    alone = losses.ranknet(student, teacher, mask=T([[True, True, False]]))
    assert alone.item() == pytest.approx(pairs[0], abs=1e-6)
    with pytest.raises(ValueError, match="orders no pair"):
        losses.ranknet(student, torch.ones(1, 3))


def test_margin_mse_is_zero_where_margins_agree():
    assert losses.margin_mse(T([2.0]), T([1.0]), T([7.0]), T([6.0])).item() == 0


def test_ranknet_gradient_and_limits():
    student = leaf([[0.5, 1.5]])
    losses.ranknet(student, T([[0.0, 3.0]], dtype=DOUBLE)).backward()
    share = 1 / (1 + math.e)  # σ(−m) of the margin 1
    assert student.grad[0].tolist() == pytest.approx([share, -share])
    assert losses.ranknet(T([[0.0, 0.0]]), T([[0.0, 1.0]])).item() == pytest.approx(math.log(2))
    assert losses.ranknet(T([[-50.0, 50.0]]), T([[0.0, 1.0]])).item() == pytest.approx(0, abs=1e-6)


def test_ranknet_masked_documents_get_no_gradient():
    student = leaf([[0.0, 1.0, 5.0]])
    mask = T([[True, True, False]])
    losses.ranknet(student, T([[0.0, 3.0, 2.0]], dtype=DOUBLE), mask=mask).backward()
    assert student.grad[0, 2] == 0
    assert student.grad[0, 0] != 0


def test_pairwise_bce_by_hand():
    # Margin 0 gives ln 2 whatever the preference; margin ln 3 is σ = 3/4, preference 1/2: −½ ln ¾ − ½ ln ¼.
    expected = (math.log(2) - 0.5 * math.log(0.75) - 0.5 * math.log(0.25)) / 2
    assert losses.pairwise_bce(T([0.0, math.log(3.0)]), T([0.9, 0.5])).item() == pytest.approx(expected, abs=1e-6)


def test_pairwise_bce_gradient_is_probability_minus_preference():
    margins, preferences = leaf([0.0, 1.0]), T([0.5, 0.9], dtype=DOUBLE)
    losses.pairwise_bce(margins, preferences).backward()
    assert torch.allclose(margins.grad, (torch.sigmoid(margins.detach()) - preferences) / 2)
    assert margins.grad[0] == 0  # undecided on both sides


def test_pairwise_bce_of_sure_preferences_is_ranknet():
    student, teacher = T([[0.3, 1.0]]), T([[0.0, 1.0]])
    loss = losses.pairwise_bce(T([0.7]), T([1.0]))
    assert loss.item() == pytest.approx(losses.ranknet(student, teacher).item())
    assert losses.pairwise_bce(T([-0.7]), T([0.0])).item() == pytest.approx(loss.item())  # the pair the other way round


def test_pairwise_bce_at_the_teachers_own_margins_is_its_entropy():
    preference = T([0.2])
    loss = losses.pairwise_bce(torch.logit(preference), preference)
    assert loss.item() == pytest.approx(-0.2 * math.log(0.2) - 0.8 * math.log(0.8), abs=1e-6)


def test_pairwise_bce_refuses_what_is_no_preference():
    for wrong in ([1.5], [math.nan]):
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            losses.pairwise_bce(T([0.0]), T(wrong))
    with pytest.raises(ValueError, match="no pair"):
        losses.pairwise_bce(torch.zeros(0), torch.zeros(0))


def test_margins_of_lists_are_those_of_their_pairs():
    # Margins of the student 1, 3, 0.5, -0.5, of the teacher 2, 0, -2, 1.
    student, teacher = T([[2.0, 1.0, -1.0], [0.5, 0.0, 1.0]]), T([[2.0, 0.0, 2.0], [1.0, 3.0, 0.0]])
    assert losses.list_margin_mse(student, teacher).item() == pytest.approx((1 + 9 + 6.25 + 2.25) / 4)

"""Regularisers of sparse vectors: values worked by hand, gradient identities and limits."""

import pytest

torch = pytest.importorskip("torch")

from harness.nn import losses  # noqa: E402

T = torch.tensor
DOUBLE = torch.float64


def leaf(values):
    return torch.tensor(values, dtype=DOUBLE, requires_grad=True)


def test_by_hand():
    weights = T([[1.0, 0.0], [3.0, 1.0]])
    assert losses.flops(weights).item() == pytest.approx(2.0**2 + 0.5**2)
    assert losses.l1(weights).item() == pytest.approx((1 + 4) / 2)


def test_flops_prefers_an_even_spread():
    assert losses.flops(T([[2.0, 0.0], [0.0, 2.0]])) < losses.flops(T([[2.0, 0.0], [2.0, 0.0]]))


def test_ramp():
    assert [losses.ramp(step, 10, 4.0) for step in (0, 5, 10, 99)] == [0.0, 1.0, 4.0, 4.0]
    assert losses.ramp(0, 0, 4.0) == 4.0


def test_gradients():
    weights = leaf([[1.0, 0.0], [3.0, -1.0]])
    losses.flops(weights).backward()
    # 2 · mean |w| · sign / texts: terms of many documents are pushed harder.
    assert weights.grad.tolist() == [[2.0, 0.0], [2.0, -0.5]]
    again = leaf([[1.0, 0.0], [3.0, -1.0]])
    losses.l1(again).backward()
    assert again.grad.tolist() == [[0.5, 0.0], [0.5, -0.5]]


def test_zeros_cost_nothing_and_scale_is_squared():
    weights = T([[1.0, 0.5], [3.0, 1.0]])
    assert losses.flops(0 * weights).item() == losses.l1(0 * weights).item() == 0
    assert losses.flops(3 * weights).item() == pytest.approx(9 * losses.flops(weights).item())
    assert losses.l1(3 * weights).item() == pytest.approx(3 * losses.l1(weights).item())


def test_grouped_flops_by_hand():
    # First documents: means (2, 0.5); second documents: (0, 1).
    weights = T([[[1.0, 0.0], [0.0, 2.0]], [[3.0, 1.0], [0.0, 0.0]]])
    assert losses.grouped_flops(weights).item() == pytest.approx(2.0**2 + 0.5**2 + 1.0**2)


def test_grouped_flops_of_one_column_is_flops_and_of_twice_the_queries_the_same():
    weights = torch.rand(3, 2, 4, generator=torch.Generator().manual_seed(0))
    alone = losses.grouped_flops(weights[:, :1])
    assert alone.item() == pytest.approx(losses.flops(weights[:, 0]).item())
    twice = losses.grouped_flops(torch.cat([weights, weights]))
    assert twice.item() == pytest.approx(losses.grouped_flops(weights).item())


def test_grouped_flops_gradient():
    weights = leaf([[[1.0, 0.0], [0.0, 2.0]], [[3.0, 1.0], [0.0, 0.0]]])
    losses.grouped_flops(weights).backward()
    assert weights.grad.tolist() == [[[2.0, 0.0], [0.0, 1.0]], [[2.0, 0.5], [0.0, 0.0]]]

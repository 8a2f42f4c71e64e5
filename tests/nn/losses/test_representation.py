"""Losses over vectors: values worked by hand, gradient identities and limits."""

import pytest

torch = pytest.importorskip("torch")

from harness.nn import losses  # noqa: E402

T = torch.tensor
DOUBLE = torch.float64


def leaf(values):
    return torch.tensor(values, dtype=DOUBLE, requires_grad=True)


def test_by_hand():
    ours, theirs = T([[1.0, 0.0], [0.0, 2.0]]), T([[0.0, 1.0], [0.0, 1.0]])
    assert losses.mse(ours, theirs).item() == pytest.approx((2 + 1) / 2)
    assert losses.cosine(ours, theirs).item() == pytest.approx((1 + 0) / 2)


def test_relation_is_blind_to_rotation_length_and_width():
    ours = T([[1.0, 0.0], [0.0, 1.0]])
    assert losses.relation(ours, T([[0.0, 3.0, 0.0], [2.0, 0.0, 0.0]])).item() == pytest.approx(0, abs=1e-6)
    # Cosine 0 against cosine 1, in two of four cells.
    assert losses.relation(ours, T([[1.0, 0.0], [1.0, 0.0]])).item() == pytest.approx(0.5)


def test_mse_gradient_is_twice_the_difference_and_zero_where_they_agree():
    ours, theirs = leaf([[1.0, 0.0], [0.0, 2.0]]), T([[0.0, 1.0], [0.0, 2.0]], dtype=DOUBLE)
    losses.mse(ours, theirs).backward()
    assert torch.allclose(ours.grad, T([[1.0, -1.0], [0.0, 0.0]], dtype=DOUBLE))  # 2 (s − t) / texts


def test_cosine_limits():
    ours = T([[1.0, 2.0]])
    assert losses.cosine(ours, 3 * ours).item() == pytest.approx(0, abs=1e-6)
    assert losses.cosine(ours, -ours).item() == pytest.approx(2)


@pytest.mark.parametrize("name", ["cosine", "relation"])
def test_lengths_do_not_matter_so_no_gradient_goes_along_a_vector(name):
    ours = leaf([[1.0, 2.0], [0.5, -1.0], [0.3, 0.3]])
    theirs = T([[0.0, 1.0], [1.0, 1.0], [-1.0, 0.2]], dtype=DOUBLE)
    getattr(losses, name)(ours, theirs).backward()
    assert ours.grad.norm() > 0.01
    assert torch.allclose((ours.grad * ours.detach()).sum(1), torch.zeros(3, dtype=DOUBLE), atol=1e-12)


def test_relation_gradient_by_hand():
    # Vectors of length 1 with angle a: two cells (cos a − 1)² / 4 each; d/da of (cos a − 1)² / 2 is −(cos a − 1) sin a.
    angle = leaf(0.8)
    ours = torch.stack([torch.stack([angle.cos(), angle.sin()]), T([1.0, 0.0], dtype=DOUBLE)])
    losses.relation(ours, T([[1.0, 0.0], [1.0, 0.0]], dtype=DOUBLE)).backward()
    expected = (1 - angle.detach().cos()) * angle.detach().sin()
    assert angle.grad.item() == pytest.approx(expected.item())

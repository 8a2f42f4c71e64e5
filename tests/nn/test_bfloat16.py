"""Products in bfloat16 by way of float32 are those that a processor with instructions for it gives."""

import pytest

torch = pytest.importorskip("torch")

from harness.nn import bfloat16  # noqa: E402
from harness.nn.bfloat16 import ThroughFloat32, autocast, helped  # noqa: E402

HALF = torch.bfloat16


def whole(*shape: int) -> "torch.Tensor":
    """Small whole numbers: sums of their products are exact in any order."""
    return torch.randint(-4, 5, shape, generator=torch.Generator().manual_seed(sum(shape))).to(HALF)


PRODUCTS = {
    "linear": lambda: torch.nn.functional.linear(whole(3, 5), whole(4, 5), whole(4)),
    "mm": lambda: whole(3, 5) @ whole(5, 2),
    "addmm": lambda: torch.addmm(whole(2), whole(3, 5), whole(5, 2)),
    "bmm": lambda: torch.bmm(whole(2, 3, 5), whole(2, 5, 4)),
    "baddbmm": lambda: torch.baddbmm(whole(2, 3, 4), whole(2, 3, 5), whole(2, 5, 4), beta=2, alpha=0.5),
    "matmul": lambda: torch.matmul(whole(2, 2, 3, 5), whole(2, 2, 5, 4)),
}


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("inference", [True, False])
def test_exact_products_are_the_same(name: str, inference: bool) -> None:
    with torch.inference_mode(inference):
        expected = PRODUCTS[name]()
        with ThroughFloat32():
            found = PRODUCTS[name]()
    assert found.dtype == HALF
    assert torch.equal(found, expected)


def test_a_result_is_rounded_once_at_the_end() -> None:
    left, right = torch.tensor([[256.0, 1.0, -1.0]], dtype=HALF), torch.ones(3, 1, dtype=HALF)
    with ThroughFloat32():
        assert (left @ right).item() == 256.0  # 256 + 1 is no number of bfloat16, and would be lost in between
        assert (torch.tensor([[256.0, 1.0, 1.0]], dtype=HALF) @ right).item() == 258.0


def test_everything_else_is_left_alone() -> None:
    with ThroughFloat32():
        assert (torch.ones(2, 2, dtype=torch.float64) @ torch.ones(2, 2, dtype=torch.float64)).dtype == torch.float64
        assert (whole(3) + whole(3)).dtype == HALF


def layer() -> "torch.nn.Module":
    torch.manual_seed(0)
    return torch.nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)


def losses_and_gradients(through: bool) -> list["torch.Tensor"]:
    made, inputs = layer(), torch.randn(2, 7, 16, generator=torch.Generator().manual_seed(1))
    with ThroughFloat32() if through else torch.enable_grad():
        with torch.autocast("cpu", HALF):
            loss = made(inputs).square().mean()
        loss.backward()
    return [loss.detach(), *(weight.grad for weight in made.parameters())]


def test_attention_and_its_gradients_are_as_near_as_rounding_lets_them() -> None:
    for found, expected in zip(losses_and_gradients(True), losses_and_gradients(False), strict=True):
        assert found.dtype == expected.dtype
        torch.testing.assert_close(found, expected, rtol=0.05, atol=float(expected.abs().max()) * 0.02)


@pytest.mark.parametrize(
    ("lacks", "kind", "enabled", "through"),
    [(True, "cpu", True, True), (True, "cpu", False, False), (False, "cpu", True, False), (True, "cuda", True, False)],
)
def test_only_where_the_processor_lacks_it(monkeypatch, lacks: bool, kind: str, enabled: bool, through: bool) -> None:
    monkeypatch.setattr(bfloat16, "multiplies", lambda _: not lacks)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    seen: list[str] = []
    monkeypatch.setattr(ThroughFloat32, "__enter__", lambda self: seen.append("in") or self)
    monkeypatch.setattr(ThroughFloat32, "__exit__", lambda self, *_: seen.append("out"))
    with helped(kind, enabled):
        pass
    assert seen == (["in", "out"] if through else [])


def test_autocast_computes_in_bfloat16() -> None:
    with autocast("cpu"):
        assert torch.nn.Linear(4, 3)(torch.ones(2, 4)).dtype == HALF
    with autocast("cpu", enabled=False):
        assert torch.nn.Linear(4, 3)(torch.ones(2, 4)).dtype == torch.float32

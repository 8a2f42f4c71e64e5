"""Packed linear layers against plain ones, and what becomes of the model."""

import copy

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from harness.nn import packed as module  # noqa: E402
from harness.nn.packed import packed, works  # noqa: E402

needs_operators = pytest.mark.skipif(not works(torch.float32), reason="torch has no such operators here")


class Doubled(nn.Linear):
    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(rows)


@pytest.fixture
def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(24, 40), nn.GELU(), nn.Linear(40, 8, bias=False), Doubled(8, 8)).eval()


@pytest.fixture
def rows() -> torch.Tensor:
    return torch.randn(5, 7, 24, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def anew():
    """What the probe found is forgotten before and after."""
    works.cache_clear()
    yield
    works.cache_clear()


@needs_operators
def test_the_same_but_for_the_last_bits(model: nn.Sequential, rows: torch.Tensor) -> None:
    with torch.inference_mode():
        plain = model(rows)
        with packed(model):
            assert [("forward" in vars(layer)) for layer in model] == [True, False, True, False]
            torch.testing.assert_close(model(rows), plain, atol=1e-5, rtol=1e-5)


@pytest.mark.skipif(not works(torch.bfloat16), reason="torch has no such operators here")
def test_in_half_precision_it_is_near(model: nn.Sequential, rows: torch.Tensor) -> None:
    with torch.inference_mode():
        plain = model(rows)
        with torch.autocast("cpu", torch.bfloat16), packed(model, torch.bfloat16):
            found = model(rows)
    assert not torch.equal(found.float(), plain)
    torch.testing.assert_close(found.float(), plain, atol=0.05, rtol=0.05)


@needs_operators
def test_the_model_is_as_before(model: nn.Sequential, rows: torch.Tensor) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with packed(model), torch.inference_mode():
        model(rows)
        assert model.state_dict().keys() == before.keys()
    with pytest.raises(RuntimeError), packed(model):
        model(rows[:, :, :3])  # of another size than the layer reads
    assert not any("forward" in vars(layer) for layer in model)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    copy.deepcopy(model)(rows).sum().backward()
    model(rows).sum().backward()
    assert model[0].weight.grad is not None


@needs_operators
def test_weights_that_changed_are_packed_anew(model: nn.Sequential, rows: torch.Tensor) -> None:
    with torch.inference_mode(), packed(model):
        model(rows)
    model[0].weight.data.mul_(2)  # which torch doesn't count as a change
    with torch.inference_mode():
        plain = model(rows)
        with packed(model):
            torch.testing.assert_close(model(rows), plain, atol=1e-5, rtol=1e-5)


@needs_operators
def test_a_layer_that_someone_else_has_changed_is_left_alone(model: nn.Sequential, rows: torch.Tensor) -> None:
    own = lambda rows: torch.zeros(5, 7, 40)  # noqa: E731
    model[0].forward = own
    with packed(model):
        assert model[0].forward is own
    assert model[0].forward is own


@pytest.mark.usefixtures("anew")
def test_without_the_operators_layers_are_plain(
    model: nn.Sequential, rows: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute '_linear_pointwise'")

    monkeypatch.setattr(module, "_packed", missing)
    plain = model(rows)
    with packed(model):
        assert torch.equal(model(rows), plain)


@pytest.mark.usefixtures("anew")
def test_operators_that_give_other_results_are_not_used(
    model: nn.Sequential, rows: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_packed", lambda layer, dtype: lambda rows: nn.functional.linear(rows, layer.weight))
    assert not works(torch.float32)  # the bias is missing
    plain = model(rows)
    with packed(model):
        assert torch.equal(model(rows), plain)

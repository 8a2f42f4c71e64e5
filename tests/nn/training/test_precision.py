"""Mixed precision on the CPU, and that one training's precision is not the next one's."""

import math

import pytest

torch = pytest.importorskip("torch")

from harness.errors import ConfigError, ContractError, DeviceError  # noqa: E402
from harness.nn.training.loop import Loop  # noqa: E402
from harness.nn.training.stage import Schedule, Stage  # noqa: E402


def train(folder, precision, device="cpu"):
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
    seen = []

    def loss(inputs, step):
        found = model(inputs)
        seen.append(found.dtype)
        return torch.nn.functional.mse_loss(found.float(), inputs.sum(1, keepdim=True))

    stage = Stage(
        name="fit", model=model, steps=20, examples=16, loss=loss, schedule=Schedule(learning_rate=0.02),
        batch=lambda n: torch.randn(16, 4, generator=torch.Generator().manual_seed(n)),
    )  # fmt: skip
    account = Loop(folder=folder, seed=1, precision=precision, device=device).run([stage])
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    return account.curves["fit"], set(seen), model(torch.ones(1, 4)).dtype


def test_bf16_is_used_and_its_losses_are_near_those_of_fp32(tmp_path):
    full, kinds, _ = train(tmp_path / "no", "no")
    assert kinds == {torch.float32}
    half, kinds, afterwards = train(tmp_path / "bf16", "bf16")
    assert kinds == {torch.bfloat16}
    assert afterwards == torch.float32  # nothing of it stays with the model
    assert all(math.isfinite(loss) for loss in half)
    assert half == pytest.approx(full, rel=0.05, abs=0.01)
    assert half != full
    again, kinds, _ = train(tmp_path / "again", "no")
    assert (again, kinds) == (full, {torch.float32})


@pytest.mark.parametrize(("precision", "message"), [("fp16", "needs a GPU"), ("fp8", "expected one of no, bf16, fp16")])
def test_precisions_that_are_refused(tmp_path, precision, message):
    with pytest.raises(ConfigError, match=message):
        train(tmp_path, precision)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_here_is_refused(tmp_path):
    with pytest.raises(DeviceError, match="cuda:0"):
        train(tmp_path, "fp16", "cuda:0")


def test_a_gradient_that_is_not_finite_stops_the_training(tmp_path):
    model = torch.nn.Linear(1, 1)
    stage = Stage(
        name="fit", model=model, steps=1, examples=1, batch=lambda n: torch.zeros(1, 1), schedule=Schedule(clip=0),
        loss=lambda inputs, _: (model(inputs) - model.bias.detach()).sqrt().sum(),  # √0: finite, with infinite slope
    )  # fmt: skip
    with pytest.raises(ContractError, match=r"gradient's norm is (inf|nan) at step 0"):
        Loop(folder=tmp_path, seed=0).run([stage])
    assert torch.isfinite(model.weight).all()

"""What a stage lets learn, at which rates; what it freezes stays as it was, bit for bit."""

import pytest

torch = pytest.importorskip("torch")

from harness.errors import ConfigError  # noqa: E402
from harness.nn.training.loop import Loop  # noqa: E402
from harness.nn.training.optimiser import factor, optimiser, scheduler  # noqa: E402
from harness.nn.training.stage import Schedule, Stage  # noqa: E402

RATES = {"encoder": 1.0, "encoder.top": 3.0, "head": 10.0}


def network():
    torch.manual_seed(3)
    encoder = torch.nn.ModuleDict({"low": torch.nn.Linear(4, 8), "top": torch.nn.Linear(8, 8)})
    return torch.nn.ModuleDict({"encoder": encoder, "head": torch.nn.Linear(8, 1)})


def forward(model, inputs):
    hidden = torch.relu(model["encoder"]["low"](inputs))
    return model["head"](torch.relu(model["encoder"]["top"](hidden)))


def stage(model, **more):
    return Stage(
        name="fit", model=model, steps=5, examples=8, loss=lambda inputs, _: forward(model, inputs).pow(2).mean(),
        batch=lambda n: torch.randn(8, 4, generator=torch.Generator().manual_seed(n)), **more,
    )  # fmt: skip


def rate_of(model, optim):
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {names[p]: (group["lr"], group["weight_decay"]) for group in optim.param_groups for p in group["params"]}


def test_longest_prefix_wins_and_small_parameters_do_not_decay():
    model = network()
    found = rate_of(model, optimiser(model, Schedule(learning_rate=0.1, weight_decay=0.5, rates=RATES)))
    assert found["encoder.low.weight"] == (pytest.approx(0.1), 0.5)
    assert found["encoder.low.bias"] == (pytest.approx(0.1), 0.0)
    assert found["encoder.top.weight"] == (pytest.approx(0.3), 0.5)
    assert found["head.weight"] == (pytest.approx(1.0), 0.5)
    assert found["head.bias"] == (pytest.approx(1.0), 0.0)
    assert len(found) == 6


def test_rates_follow_the_schedule_together():
    model, schedule = network(), Schedule(learning_rate=0.1, rates=RATES, warmup=0.5)
    optim = optimiser(model, schedule)
    rate = scheduler(optim, schedule, 10)
    for step in range(10):
        assert rate_of(model, optim)["encoder.top.weight"][0] == pytest.approx(0.3 * factor(schedule, step, 10))
        optim.step()
        rate.step()


def test_first_step_of_adam_moves_by_the_rate(tmp_path):
    model = network()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    schedule = Schedule(learning_rate=1e-3, rates=RATES, warmup=0, decay="constant", weight_decay=0)
    Loop(folder=tmp_path, seed=0).run([stage(model, schedule=schedule)])
    moved = {name: (p - before[name]).abs().max().item() for name, p in model.named_parameters()}
    assert moved["encoder.low.weight"] == pytest.approx(5e-3, rel=0.1)  # five steps of about the rate
    assert moved["head.bias"] == pytest.approx(5e-2, rel=0.1)


@pytest.mark.parametrize(
    ("rates", "message"), [({"haed": 2.0}, "'haed'"), ({"head": 0.0}, "above 0"), ({"head.weights": 2.0}, "head")]
)
def test_impossible_rates_are_refused(tmp_path, rates, message):
    with pytest.raises(ConfigError, match=message):
        Loop(folder=tmp_path, seed=0).run([stage(network(), schedule=Schedule(rates=rates))])


@pytest.mark.parametrize("frozen", [("encoder",), ("encoder.top", "head.bias"), ("head",)])
def test_frozen_parameters_are_bit_identical_whatever_decays(tmp_path, frozen):
    model = network()
    model["head"].bias.grad = torch.full((1,), 1e9)  # left by something else; would fill the clipped norm
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    schedule = Schedule(learning_rate=0.1, weight_decay=0.9, rates=RATES)
    Loop(folder=tmp_path, seed=0).run([stage(model, frozen=frozen, schedule=schedule)])
    same = {name for name, p in model.named_parameters() if torch.equal(p, before[name])}
    assert same == {name for name in before if name.startswith(frozen)}


def test_what_was_frozen_learns_again_in_a_later_stage(tmp_path):
    model = network()
    before = model["head"].weight.detach().clone()
    Loop(folder=tmp_path, seed=0).run([stage(model, frozen=("head",)), stage(model)])
    assert not torch.equal(model["head"].weight, before)


def test_tied_weights_are_frozen_by_either_name(tmp_path):
    model = torch.nn.ModuleDict({"a": torch.nn.Linear(4, 4), "b": torch.nn.Linear(4, 4), "c": torch.nn.Linear(4, 4)})
    model["b"].weight = model["a"].weight
    before = model["a"].weight.detach().clone()
    tied = Stage(
        name="tied", model=model, steps=3, examples=1, batch=lambda n: torch.ones(2, 4), frozen=("b.",),
        loss=lambda inputs, _: model["c"](model["b"](model["a"](inputs))).pow(2).mean(),
    )  # fmt: skip
    Loop(folder=tmp_path, seed=0).run([tied])
    assert torch.equal(model["a"].weight, before)
    assert model["a"].bias.requires_grad

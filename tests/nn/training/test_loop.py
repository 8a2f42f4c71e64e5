"""Exact resume, budgets, freezing and schedules of the training loop, on a network small enough to see through."""

import math

import pytest

torch = pytest.importorskip("torch")

from harness.errors import ConfigError, ContractError  # noqa: E402
from harness.nn.training.loop import Loop  # noqa: E402
from harness.nn.training.optimiser import factor  # noqa: E402
from harness.nn.training.stage import Schedule, Stage  # noqa: E402
from harness.records import Budget  # noqa: E402


class Stopped(Exception):
    """Stands for a kill at this moment."""


def network():
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1))


def batch(number):
    generator = torch.Generator().manual_seed(number)
    inputs = torch.randn(16, 4, generator=generator)
    return inputs, inputs.sum(1, keepdim=True)


def stage(model, name="fit", steps=30, stop_at=None, **more):
    calls = iter(range(10**6))

    def loss(pair, step):
        if next(calls) == stop_at:
            raise Stopped
        return torch.nn.functional.mse_loss(model(pair[0]), pair[1])

    schedule = more.pop("schedule", Schedule(learning_rate=0.02))
    return Stage(name=name, model=model, batch=batch, loss=loss, steps=steps, examples=16, schedule=schedule, **more)


def loop(tmp_path, **more):
    return Loop(folder=tmp_path / "training", seed=1, **more)


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_learns(tmp_path):
    model = network()
    account = loop(tmp_path).run([stage(model, steps=200)])
    assert account.curves["fit"][-1] < account.curves["fit"][0] / 4
    assert (account.steps, account.examples, len(account.curves["fit"])) == (200, 3200, 200)


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("stop_at", [1, 13, 41])
def test_killed_and_resumed_gives_the_same_weights(tmp_path, stop_at, accumulate):
    schedule = Schedule(learning_rate=0.02, accumulate=accumulate)
    whole = network()
    loop(tmp_path / "whole").run(
        [stage(whole, "one", schedule=schedule), stage(whole, "two", frozen=("0.",), schedule=schedule)]
    )
    killed = network()
    disturbed = loop(tmp_path / "killed", every=0.0)
    first, second = (stop_at, None) if stop_at < 30 * accumulate else (None, stop_at - 30)
    with pytest.raises(Stopped):
        disturbed.run(
            [stage(killed, "one", stop_at=first, schedule=schedule),
             stage(killed, "two", stop_at=second, frozen=("0.",), schedule=schedule)]
        )  # fmt: skip
    resumed = network()
    account = disturbed.run(
        [stage(resumed, "one", schedule=schedule), stage(resumed, "two", frozen=("0.",), schedule=schedule)]
    )
    assert torch.equal(weights(resumed), weights(whole))
    assert account.steps == 60


def test_finished_training_is_not_done_again_and_gives_its_weights(tmp_path):
    model = network()
    loop(tmp_path).run([stage(model)])
    later = network()
    account = loop(tmp_path).run([stage(later, stop_at=0)])
    assert torch.equal(weights(later), weights(model))
    assert account.steps == 30


def test_stages_of_different_models_are_both_resumed(tmp_path):
    teacher, student = network(), network()
    disturbed = loop(tmp_path, every=0.0)
    with pytest.raises(Stopped):
        disturbed.run([stage(teacher, "teacher"), stage(student, "student", stop_at=0)])
    again = network()
    disturbed.run([stage(again, "teacher", stop_at=0), stage(network(), "student")])
    assert torch.equal(weights(again), weights(teacher))


@pytest.mark.parametrize(
    ("budget", "steps"), [(Budget(steps=7), 7), (Budget(examples=100), 6), (Budget(seconds=1e-9), 1), (Budget(), 30)]
)
def test_budget_is_never_exceeded(tmp_path, budget, steps):
    account = loop(tmp_path, budget=budget).run([stage(network())])
    assert (account.steps, account.examples) == (steps, 16 * steps)


def test_budget_is_over_all_stages(tmp_path):
    model = network()
    account = loop(tmp_path, budget=Budget(steps=40)).run([stage(model, "one"), stage(model, "two")])
    assert {name: len(curve) for name, curve in account.curves.items()} == {"one": 30, "two": 10}


@pytest.mark.parametrize("budget", [Budget(steps=30), Budget(examples=30 * 16 + 1), Budget(seconds=1e-9)])
def test_a_stage_that_the_budget_has_nothing_left_for_is_refused(tmp_path, budget):
    model = network()
    with pytest.raises(ConfigError, match="stage two gets no step"):
        loop(tmp_path, budget=budget).run([stage(model, "one"), stage(model, "two")])


def test_frozen_parts_do_not_move_and_others_do(tmp_path):
    model = network()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    loop(tmp_path).run([stage(model, frozen=("0.",))])
    moved = [not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True)]
    assert moved == [False, False, True, True]
    with pytest.raises(ConfigError, match=r"'7\.'"):
        loop(tmp_path / "b").run([stage(model, frozen=("7.",))])
    with pytest.raises(ConfigError, match="all parameters"):
        loop(tmp_path / "c").run([stage(model, frozen=("0.", "2."))])


def test_accumulation_equals_one_large_batch(tmp_path):
    def smooth():
        torch.manual_seed(3)
        return torch.nn.Linear(4, 1)

    parts, whole = smooth(), smooth()
    plain = Schedule(learning_rate=0.02, clip=0)
    loop(tmp_path / "parts").run([stage(parts, steps=5, schedule=Schedule(learning_rate=0.02, clip=0, accumulate=2))])
    large = stage(whole, steps=5, schedule=plain)
    joined = Stage(
        name="large", model=whole, steps=5, examples=32, schedule=plain, loss=large.loss,
        batch=lambda n: tuple(torch.cat(both) for both in zip(batch(2 * n), batch(2 * n + 1), strict=True)),
    )  # fmt: skip
    loop(tmp_path / "whole").run([joined])
    assert torch.allclose(weights(parts), weights(whole), atol=1e-6)


def test_loss_that_is_not_finite_stops_the_training(tmp_path):
    model = network()
    broken = Stage(
        name="nan", model=model, batch=batch, loss=lambda pair, _: model(pair[0]).sum() * math.nan, steps=3, examples=16
    )
    with pytest.raises(ContractError, match="nan at step 0"):
        loop(tmp_path).run([broken])


def test_schedule_by_hand():
    linear = Schedule(warmup=0.2)
    assert [round(factor(linear, step, 10), 3) for step in (0, 1, 2, 6, 9)] == [0.5, 1.0, 1.0, 0.5, 0.125]
    assert factor(Schedule(warmup=0, decay="cosine"), 5, 10) == pytest.approx(0.5)
    assert factor(Schedule(warmup=0, decay="constant"), 9, 10) == 1.0

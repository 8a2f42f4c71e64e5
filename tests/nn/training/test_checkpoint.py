"""What a training leaves in its folder, and that this is enough: to go on, and to give its weights again."""

import json

import pytest

torch = pytest.importorskip("torch")

from harness.errors import ConfigError  # noqa: E402
from harness.nn.training import checkpoint  # noqa: E402
from harness.nn.training.loop import Loop  # noqa: E402
from harness.nn.training.stage import Schedule, Stage  # noqa: E402
from harness.records import Budget  # noqa: E402
from harness.seal import sealed, unsealed  # noqa: E402


class Stopped(Exception):
    """Stands for a kill at this moment."""


class Training:
    """Two stages of different models, with a hook; the second learns a temperature too."""

    def __init__(self, stop_at=None):
        torch.manual_seed(3)
        self.teacher, self.student = torch.nn.Linear(4, 2), torch.nn.Linear(4, 2)
        self.extra = torch.nn.ParameterDict({"temperature": torch.nn.Parameter(torch.ones(()))})
        self.called, self.steps, self.stop_at = [], 0, stop_at

    def stages(self):
        both = torch.nn.ModuleDict({"student": self.student, "extra": self.extra})
        schedule = Schedule(learning_rate=0.02, rates={})
        shared = {"batch": self.batch, "steps": 6, "examples": 3, "schedule": schedule}
        return [
            Stage(name="teacher", model=self.teacher, loss=self.teach, before=lambda: self.before("teacher"), **shared),
            Stage(name="student", model=both, loss=self.learn, before=lambda: self.before("student"), **shared),
        ]

    def before(self, name):
        self.called.append(name)
        if name == "student":  # chance in a hook comes from the loop's seed, whatever attempt this is
            self.student.load_state_dict(self.teacher.state_dict())
            with torch.no_grad():
                self.student.bias += torch.rand(2)

    def batch(self, number):
        return torch.randn(3, 4, generator=torch.Generator().manual_seed(number))

    def teach(self, inputs, step):
        self.steps += 1
        if self.steps == self.stop_at:
            raise Stopped
        return (self.teacher(inputs) - 1).pow(2).mean()

    def learn(self, inputs, step):
        self.steps += 1
        if self.steps == self.stop_at:
            raise Stopped
        return (self.student(inputs) * self.extra["temperature"] - self.teacher(inputs).detach() - 1).pow(2).mean()

    @property
    def weights(self):
        parts = (self.teacher, self.student, self.extra)
        return torch.cat([p.detach().flatten() for part in parts for p in part.parameters()])


def run(training, folder, **more):
    return Loop(folder=folder, seed=1, **more).run(training.stages())


def test_a_finished_training_leaves_weights_and_account_only(tmp_path):
    done = Training()
    account = run(done, tmp_path, every=0.0)
    assert {path.name for path in tmp_path.iterdir()} == {"place.json", "stage-0.safetensors", "stage-1.safetensors"}
    kept = json.loads((tmp_path / "place.json").read_text())
    assert (kept["stage"], kept["step"], kept["stages"]) == (2, 0, ["teacher", "student"])
    assert kept["account"] == account.as_json()


def test_a_finished_training_is_restored_without_a_step_or_a_hook(tmp_path):
    done, again = Training(), Training(stop_at=1)
    account = run(done, tmp_path)
    assert not torch.equal(done.weights, again.weights)
    assert run(again, tmp_path) == account
    assert torch.equal(done.weights, again.weights)
    assert (again.called, again.steps) == ([], 0)
    assert not again.student.training


@pytest.mark.parametrize("stop_at", [1, 2, 6, 7, 8, 12])
def test_stopped_anywhere_hooks_are_called_again_only_for_the_stage_that_goes_on(tmp_path, stop_at):
    whole, stopped, resumed = Training(), Training(stop_at), Training()
    account = run(whole, tmp_path / "whole")
    with pytest.raises(Stopped):
        run(stopped, tmp_path / "stopped", every=0.0)
    found = run(resumed, tmp_path / "stopped", every=0.0)
    assert torch.equal(resumed.weights, whole.weights)
    assert found.curves == account.curves
    assert resumed.called == (["teacher", "student"] if stop_at <= 6 else ["student"])
    assert resumed.steps == 12 - (stop_at - 1)


def test_what_a_kill_during_writing_left_is_cleared_away(tmp_path):
    (tmp_path / "state-0-3").mkdir()
    (tmp_path / "state-0-3" / "model.safetensors").write_bytes(b"half")
    (tmp_path / ".place.json").write_text("{")
    with pytest.raises(Stopped):
        run(Training(stop_at=5), tmp_path, every=0.0)
    assert {path.name for path in tmp_path.iterdir()} == {"place.json", "state-0-4"}
    run(Training(), tmp_path)
    assert not list(tmp_path.glob("state-*"))


def test_seconds_of_earlier_attempts_count(tmp_path):
    with pytest.raises(Stopped):
        run(Training(stop_at=4), tmp_path, every=0.0)
    used = checkpoint.find(tmp_path).account
    assert used.steps == 3
    assert used.seconds > 0
    resumed = Training()
    with pytest.raises(ConfigError, match="stage student gets no step"):
        run(resumed, tmp_path, budget=Budget(seconds=used.seconds))
    account = checkpoint.find(tmp_path).account
    assert (account.steps, account.seconds, resumed.steps) == (3, used.seconds, 0)


def test_seconds_are_added_over_attempts(tmp_path):
    with pytest.raises(Stopped):
        run(Training(stop_at=4), tmp_path, every=0.0)
    before = checkpoint.find(tmp_path).account.seconds
    account = run(Training(), tmp_path, budget=Budget(seconds=before + 1000))
    assert account.steps == 12
    assert account.seconds > before


def test_a_folder_of_other_stages_is_refused(tmp_path):
    run(Training(), tmp_path)
    with pytest.raises(ConfigError, match="another folder"):
        Loop(folder=tmp_path, seed=1).run(Training().stages()[1:])


def test_further_stages_may_be_added(tmp_path):
    first, both = Training(), Training()
    Loop(folder=tmp_path, seed=1).run(first.stages()[:1])
    account = run(both, tmp_path)
    assert both.called == ["student"]
    assert account.steps == 12


def test_another_number_of_processes_is_refused_within_a_stage(tmp_path):
    with pytest.raises(Stopped):
        run(Training(stop_at=4), tmp_path, every=0.0)
    place = tmp_path / "place.json"
    place.write_text(sealed(unsealed(place.read_text(), tmp_path) | {"processes": 2}, tmp_path, ()))
    with pytest.raises(ConfigError, match="2 processes, got 1"):
        run(Training(), tmp_path)


def test_tied_weights_stay_tied_and_are_restored(tmp_path, tiny_bert):
    from transformers import BertForMaskedLM

    def trained(stop_at=None):
        model = BertForMaskedLM.from_pretrained(tiny_bert)
        embedding = model.bert.embeddings.word_embeddings.weight
        calls = iter(range(1, 99))

        def loss(ids, step):
            if next(calls) == stop_at:
                raise Stopped
            return model(input_ids=ids, labels=ids).loss

        stage = Stage(
            name="mlm", model=model, steps=4, examples=2, loss=loss, schedule=Schedule(learning_rate=1e-2),
            batch=lambda n: torch.randint(5, 50, (2, 7), generator=torch.Generator().manual_seed(n)),
        )  # fmt: skip
        return model, embedding, stage

    whole, before, stage = trained()
    assert whole.cls.predictions.decoder.weight is before
    before = before.detach().clone()
    Loop(folder=tmp_path / "whole", seed=0).run([stage])
    with pytest.raises(Stopped):
        Loop(folder=tmp_path / "half", seed=0, every=0.0).run([trained(3)[2]])
    for folder, stop_at in (("half", None), ("half", 1), ("whole", 1)):
        model, embedding, stage = trained(stop_at)
        Loop(folder=tmp_path / folder, seed=0).run([stage])
        assert model.cls.predictions.decoder.weight is model.bert.embeddings.word_embeddings.weight is embedding
        assert not torch.equal(embedding, before)
        for name, value in model.state_dict().items():
            assert torch.equal(value, whole.state_dict()[name]), name

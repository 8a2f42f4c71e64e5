"""Run by test_kills: a training that is really killed, again and again, and one that is not.

    python kills.py FOLDER SEED

Prints JSON: the digests of both trainings' weights, how many attempts were killed, and the losses of both.
"""

import hashlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from harness.nn.training.loop import Loop
from harness.nn.training.stage import Schedule, Stage

STEPS, EXAMPLES = 8, 4


class Training:
    """Teacher, student, student with a frozen part: hooks, accumulation, dropout, a learnable temperature."""

    def __init__(self):
        torch.manual_seed(3)
        self.teacher, self.student = self.network(), self.network()
        self.both = torch.nn.ModuleDict(
            {"student": self.student, "extra": torch.nn.ParameterDict({"scale": torch.nn.Parameter(torch.ones(()))})}
        )

    @staticmethod
    def network():
        return torch.nn.Sequential(torch.nn.Linear(4, 64), torch.nn.Dropout(0.2), torch.nn.Linear(64, 1))

    def stages(self):
        shared = {"batch": self.batch, "steps": STEPS, "examples": EXAMPLES}
        plain, parts = Schedule(learning_rate=0.02), Schedule(learning_rate=0.02, accumulate=2, rates={"extra": 5.0})
        return [
            Stage(name="teacher", model=self.teacher, loss=self.teach, schedule=plain, **shared),
            Stage(name="warm", model=self.both, loss=self.learn, schedule=parts, before=self.copy, **shared),
            Stage(name="last", model=self.both, loss=self.learn, schedule=parts, frozen=("student.0",), **shared),
        ]

    def batch(self, number):
        time.sleep(0.01)  # so that most of the time passes inside of the stages, whatever the machine
        return torch.randn(EXAMPLES, 4, generator=torch.Generator().manual_seed(number))

    def teach(self, inputs, step):
        return (self.teacher(inputs) - inputs.sum(1, keepdim=True)).pow(2).mean()

    def learn(self, inputs, step):
        return (self.student(inputs) * self.both["extra"]["scale"] - self.teacher(inputs).detach()).pow(2).mean()

    def copy(self):
        self.student.load_state_dict(self.teacher.state_dict())
        with torch.no_grad():
            self.student[0].bias += torch.rand(64)

    def run(self, folder):
        account = Loop(folder=folder, seed=1, every=0.0).run(self.stages())
        tensors = [*self.teacher.state_dict().values(), *self.both.state_dict().values()]
        digest = hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()
        return {"digest": digest, "curves": account.curves, "steps": account.steps, "examples": account.examples}


def killed(folder, seconds):
    """Whether a training in a process of its own was still under way after this time, and was killed."""
    child = os.fork()
    if child == 0:
        Training().run(folder)
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)  # one that is over waits to be waited for, so the number is still its own
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def main():
    folder, chance = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
    torch.set_num_threads(1)
    Training().run(folder / "first")  # what is imported or allocated once is done with
    begun = time.monotonic()
    whole = Training().run(folder / "whole")
    length = time.monotonic() - begun
    kills = sum(killed(folder / "killed", chance.uniform(0.05, 0.4) * length) for _ in range(10))
    print(json.dumps({"whole": whole, "killed": Training().run(folder / "killed"), "kills": kills}))


if __name__ == "__main__":
    main()

"""Run by test_processes, by itself or once in each of several processes: a training without dropout.

    python shared.py FOLDER BATCHES

A step takes so many batches in each process. Prints JSON: the weights, the losses, and what was counted.
"""

import json
import sys
from pathlib import Path

import torch

from harness.nn.training.loop import Loop
from harness.nn.training.stage import Schedule, Stage


def main():
    torch.manual_seed(0)
    model = torch.nn.ModuleDict({"base": torch.nn.Linear(4, 8), "head": torch.nn.Linear(8, 1)})
    unused = torch.nn.Linear(2, 2)
    model["sometimes"] = unused

    def batch(number):
        return number, torch.randn(8, 4, generator=torch.Generator().manual_seed(number))

    def loss(numbered, step):
        number, inputs = numbered
        found = (model["head"](torch.tanh(model["base"](inputs))) - inputs.sum(1, keepdim=True)).pow(2).mean()
        return found + (unused(torch.ones(2)).pow(2).sum() if number % 2 else 0.0)

    schedule = Schedule(learning_rate=0.05, accumulate=int(sys.argv[2]))
    stage = Stage(name="fit", model=model, batch=batch, loss=loss, steps=6, examples=8, schedule=schedule)
    account = Loop(folder=Path(sys.argv[1]), seed=1).run([stage])
    weights = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    said = {"weights": weights.tolist(), "losses": account.curves["fit"], "examples": account.examples}
    print(json.dumps(said | {"steps": account.steps}), flush=True)


if __name__ == "__main__":
    main()

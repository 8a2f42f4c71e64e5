"""The training loop: stage after stage, inside a budget, resumed exactly where it was stopped.

A resumed training gives the weights of an undisturbed one: batches depend on their number only, and the state of the
optimiser, the schedule and all random generators is in the checkpoint. Under `accelerate launch` with several processes
each takes its share of the batches, with the whole model; examples and seconds are counted over all.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from accelerate import Accelerator

from harness.errors import ConfigError
from harness.nn.seeding import seed_everything
from harness.nn.training import checkpoint
from harness.nn.training.account import Account
from harness.nn.training.checkpoint import Place
from harness.nn.training.machine import accelerator
from harness.nn.training.optimiser import freeze, optimiser, scheduler
from harness.nn.training.processes import share_weights
from harness.nn.training.stage import Stage
from harness.nn.training.steps import Steps
from harness.records import Budget


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Trains stages of a method."""

    folder: Path
    """Where checkpoints are kept; one that was stopped goes on from there, one that is over is not done again."""
    seed: int
    """All chance comes from it."""
    budget: Budget = field(default_factory=Budget)
    """What may be used over all stages."""
    precision: str = "no"
    """`no` for fp32, `bf16` or `fp16` for mixed precision."""
    device: str = "cpu"
    """A torch device name."""
    every: float = 300.0
    """Seconds between checkpoints."""

    def run(self, stages: Sequence[Stage]) -> Account:
        """Train all stages in turn; say what was used, in this attempt and those it goes on from.

        Afterwards every stage's model has the weights that its stage ended with, in evaluation mode. To go on exactly,
        the models must come with the weights with which they came at first.

        Raises:
            ConfigError: the folder holds a training of other stages, or stopped with another number of processes.
            ContractError: a loss that is not finite.
        """
        place = checkpoint.find(self.folder)
        names = tuple(stage.name for stage in stages)
        if names[: len(place.stages)] != place.stages:
            raise ConfigError(f"{self.folder} holds a training of {place.stages}; got {names}: use another folder")
        for number, stage in enumerate(stages):
            if number < place.stage:
                checkpoint.restore(stage.model, self.folder, number)
                stage.model.to(self._machine(stage).device).eval()
            else:
                begun = place if number == place.stage else Place(stage=number, account=place.account)
                self._stage(stage, dataclasses.replace(begun, stages=names[: number + 1]))
        return place.account

    def _machine(self, stage: Stage) -> Accelerator:
        return accelerator(self.device, self.precision, stage.schedule.accumulate)

    def _stage(self, stage: Stage, place: Place) -> None:
        machine = self._machine(stage)
        if place.step and place.processes != machine.num_processes:
            raise ConfigError(f"{self.folder} is of {place.processes} processes, got {machine.num_processes}")
        place = dataclasses.replace(place, processes=machine.num_processes)
        steps = self._begin(stage, place, machine)

        def save(step: int) -> None:
            checkpoint.save(machine, stage.model, self.folder, dataclasses.replace(place, step=step))

        steps.run(place.step, save, self.every)
        stage.model.eval()
        over = dataclasses.replace(place, stage=place.stage + 1, step=0)
        checkpoint.finish(machine, stage.model, self.folder, over)

    def _begin(self, stage: Stage, place: Place, machine: Accelerator) -> Steps:
        """All that comes before the next step."""
        self._prepare(stage, place, machine)
        optim = optimiser(stage.model, stage.schedule)
        rate = scheduler(optim, stage.schedule, stage.steps)
        steps = Steps(
            stage=stage,
            accelerator=machine,
            optim=machine.prepare_optimizer(optim),
            rate=rate,
            account=place.account,
            budget=self.budget,
        )
        machine.register_for_checkpointing(rate)
        if place.step:
            checkpoint.load(machine, stage.model, self.folder, place)
        return steps

    def _prepare(self, stage: Stage, place: Place, machine: Accelerator) -> None:
        """The model before its first step: the same in every attempt and process, but for the chance that follows."""
        stage.model.to(machine.device).eval()
        self._seed(place.stage, 0)
        if stage.before:
            stage.before()
        stage.model.to(machine.device)  # what that put elsewhere
        share_weights(machine, stage.model)
        freeze(stage)
        self._seed(place.stage, 1 + machine.process_index)

    def _seed(self, *parts: int) -> None:
        seed_everything(int(np.random.SeedSequence((self.seed % 2**32, *parts)).generate_state(1)[0]))

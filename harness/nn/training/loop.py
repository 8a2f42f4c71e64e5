"""The training loop: stage after stage, inside a budget, resumed exactly where it was stopped.

A resumed training gives the weights of an undisturbed one: batches depend on their number only, and the state of the
optimiser, the schedule and all random generators is in the checkpoint.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from harness.errors import ContractError
from harness.nn.seeding import seed_everything
from harness.nn.training import checkpoint
from harness.nn.training.account import Account
from harness.nn.training.checkpoint import Place
from harness.nn.training.optimiser import freeze, optimiser, scheduler
from harness.nn.training.stage import Stage
from harness.records import Budget

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Trains stages of a method."""

    folder: Path
    """Where checkpoints are kept; a training that was stopped goes on from there."""
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
        """Train all stages in turn; say what was used.

        Raises:
            ContractError: a loss that is not finite.
        """
        found = checkpoint.find(self.folder)
        place, account = (found[1], found[2]) if found else (Place(stage=0, step=0), Account())
        state = found[0] if found else None
        for number, stage in enumerate(stages):  # a stage that is over gives its weights back, and no more
            if number < place.stage:
                checkpoint.restore(stage.model, self.folder, number)
                continue
            step = place.step if number == place.stage else 0
            self._stage(stage, Place(stage=number, step=step), account, state if step else None)
        return account

    def _accelerator(self, stage: Stage) -> Accelerator:
        on_cpu = self.device == "cpu"
        return Accelerator(
            cpu=on_cpu, mixed_precision=self.precision, gradient_accumulation_steps=stage.schedule.accumulate
        )

    def _stage(self, stage: Stage, place: Place, account: Account, state: Path | None) -> None:
        freeze(stage)
        accelerator = self._accelerator(stage)
        model: nn.Module
        model, optim = accelerator.prepare(stage.model, optimiser(stage.model, stage.schedule))
        rate = scheduler(optim.optimizer, stage.schedule, stage.steps)
        accelerator.register_for_checkpointing(rate)
        if state is None:
            seed_everything(self.seed + place.stage)
        if stage.before:
            stage.before()
        if state is not None:
            accelerator.load_state(str(state))
        _Run(self, stage, accelerator, model, optim, rate, account).go(place)
        checkpoint.keep(stage.model, self.folder, place.stage)
        checkpoint.save(accelerator, self.folder, Place(stage=place.stage + 1, step=0), account)


@dataclass
class _Run:
    """One stage on its way."""

    loop: Loop
    stage: Stage
    accelerator: Accelerator
    model: nn.Module
    optim: torch.optim.Optimizer
    rate: LambdaLR
    account: Account

    def go(self, place: Place) -> None:
        """From this step to the last, or as far as the budget goes."""
        self.model.train()
        examples = self.stage.examples * self.stage.schedule.accumulate
        saved = time.monotonic()
        for step in range(place.step, self.stage.steps):
            if limit := self.account.exhausted(self.loop.budget, examples):
                log.info("stage %s ends after %d steps: the budget is %s", self.stage.name, step, limit)
                break
            begun = time.perf_counter()
            loss = self._step(step)
            self.account.add(self.stage.name, loss, examples, time.perf_counter() - begun)
            if time.monotonic() - saved > self.loop.every:
                checkpoint.save(
                    self.accelerator, self.loop.folder, Place(stage=place.stage, step=step + 1), self.account
                )
                saved = time.monotonic()

    def _step(self, step: int) -> float:
        """One optimiser step over its batches; the mean of their losses."""
        total = 0.0
        accumulate = self.stage.schedule.accumulate
        for part in range(accumulate):
            with self.accelerator.accumulate(self.model), self.accelerator.autocast():
                loss = self.stage.loss(self.stage.batch(step * accumulate + part), step)
                if not bool(torch.isfinite(loss)):
                    raise ContractError(f"stage {self.stage.name}: the loss is {float(loss.detach())} at step {step}")
                total += float(loss.detach())
                self.accelerator.backward(loss)
                if self.accelerator.sync_gradients and self.stage.schedule.clip:
                    self.accelerator.clip_grad_norm_(self.model.parameters(), self.stage.schedule.clip)
                self.optim.step()
                self.optim.zero_grad()
        self.rate.step()
        return total / accumulate

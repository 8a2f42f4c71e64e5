"""One stage on its way: step after step, until its last or the budget's."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch.optim.lr_scheduler import LambdaLR

from harness.errors import ConfigError, ContractError
from harness.nn.bfloat16 import helped
from harness.nn.training.account import Account
from harness.nn.training.processes import average_gradients, total
from harness.nn.training.stage import Stage
from harness.records import Budget

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Everything that an optimiser step needs."""

    stage: Stage
    """Its loss, batches and schedule."""
    accelerator: Accelerator
    """Device, precision and processes."""
    optim: torch.optim.Optimizer
    """Prepared by the accelerator."""
    rate: LambdaLR
    """Steps with it."""
    account: Account
    """Every step is added."""
    budget: Budget
    """Of all stages."""

    def run(self, first: int, save: Callable[[int], None], every: float) -> None:
        """Take the steps from `first`; after about every so many seconds, `save` with the steps taken so far.

        Raises:
            ConfigError: the budget was used up before the first step, so that what is trained would not be the method.
        """
        self.stage.model.train()
        saved = time.monotonic()
        examples = self.stage.examples * self.stage.schedule.accumulate * self.accelerator.num_processes
        for step in range(first, self.stage.steps):
            if limit := self.account.exhausted(self.budget, examples):
                if not step:
                    raise ConfigError(
                        f"stage {self.stage.name} gets no step, the budget of {limit} is used up before; raise it, or "
                        "let the stages before take fewer steps"
                    )
                log.info("stage %s ends after %d steps: the budget is %s", self.stage.name, step, limit)
                break
            begun = time.perf_counter()
            loss = self._step(step)
            own = (time.perf_counter() - begun, float(time.monotonic() - saved > every))
            seconds, due = total(self.accelerator, own)
            self.account.add(self.stage.name, loss, examples, seconds)
            if due:
                save(step + 1)
                saved = time.monotonic()

    def _step(self, step: int) -> float:
        """One optimiser step over its batches; the mean of their losses over parts and processes."""
        losses: list[float] = []
        for part in range(self.stage.schedule.accumulate):
            with self.accelerator.accumulate(self.stage.model):
                losses.append(self._backward(step, part))
                if self.accelerator.sync_gradients:
                    self._gather(step, losses)
                self.optim.step()
                self.optim.zero_grad()
        self.rate.step()
        return sum(losses) / len(losses)

    def _backward(self, step: int, part: int) -> float:
        """Add a batch's gradients; its loss."""
        place = step * self.stage.schedule.accumulate + part
        number = place * self.accelerator.num_processes + self.accelerator.process_index
        with helped(self.accelerator.device.type, self.accelerator.mixed_precision == "bf16"):
            with self.accelerator.autocast():
                loss = self.stage.loss(self.stage.batch(number), step)
            self.accelerator.backward(loss)
            if self.stage.after_backward:
                self.stage.after_backward()
        return float(loss.detach())

    def _gather(self, step: int, losses: list[float]) -> None:
        """Losses and gradients of all processes; then the gradient's limit.

        Raises:
            ContractError: one of them is not finite.
        """
        processes = self.accelerator.num_processes
        losses[:] = [loss / processes for loss in total(self.accelerator, losses)]
        self._finite(sum(losses), "loss", step)
        average_gradients(self.accelerator, self.stage.model)
        limit = self.stage.schedule.clip or math.inf
        norm = self.accelerator.clip_grad_norm_(self.stage.model.parameters(), limit)
        if norm is not None and self.accelerator.scaler is None:  # fp16's scaler skips steps that are too large
            self._finite(float(norm), "gradient's norm", step)

    def _finite(self, value: float, what: str, step: int) -> None:
        if not math.isfinite(value):
            raise ContractError(f"stage {self.stage.name}: the {what} is {value} at step {step}")

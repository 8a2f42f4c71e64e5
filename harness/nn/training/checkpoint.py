"""Checkpoints of a training: written whole or not at all.

A folder holds `place.json`, the one file that says what counts and what must be in it, replaced in one move; while a
stage is under way `state-<stage>-<step>`, with everything that the next step depends on; and
`stage-<number>.safetensors` for each stage that is over. After the last stage nothing else is left. Tied weights are
kept once, for a model that ties them.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from safetensors.torch import load_model, save_model
from torch import nn

from harness.errors import CheckpointError
from harness.nn.training.account import Account
from harness.seal import names_in, sealed, unsealed

PLACE, WEIGHTS = "place.json", "model.safetensors"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a training stands, and what it has used."""

    stage: int = 0
    """Number of the stage, from 0."""
    step: int = 0
    """Optimiser steps taken in it."""
    stages: tuple[str, ...] = ()
    """Names of the stages so far, this one included once it has begun."""
    processes: int = 1
    """How many trained together."""
    account: Account = field(default_factory=Account)
    """What was used."""

    @property
    def state(self) -> str:
        """The folder of its state."""
        return f"state-{self.stage}-{self.step}"


def find(folder: Path) -> Place:
    """The last complete checkpoint, or the beginning.

    Raises:
        CheckpointError: a file of it is not what was written.
    """
    if not (folder / PLACE).exists():
        return Place()
    try:
        kept: dict[str, Any] = unsealed((folder / PLACE).read_text(), folder)
        stages, account = tuple(kept.pop("stages")), Account(**kept.pop("account"))
        return Place(**kept, stages=stages, account=account)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(
            f"{folder}: expected the checkpoint of a training as it was written, got {error}; delete the folder, and "
            "it is trained anew"
        ) from error


def save(accelerator: Accelerator, model: nn.Module, folder: Path, place: Place) -> None:
    """Keep a stage under way; all processes call it together, each writes its own random state."""
    work = folder / place.state
    if accelerator.is_main_process:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
    accelerator.wait_for_everyone()
    accelerator.save_state(str(work))
    if accelerator.is_main_process:
        save_model(model, str(work / WEIGHTS))
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        _turn(folder, place)


def load(accelerator: Accelerator, model: nn.Module, folder: Path, place: Place) -> None:
    """Go on from a stage under way."""
    load_model(model, str(folder / place.state / WEIGHTS))
    accelerator.load_state(str(folder / place.state))


def finish(accelerator: Accelerator, model: nn.Module, folder: Path, place: Place) -> None:
    """Keep the weights with which the stage before `place` ended."""
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        folder.mkdir(parents=True, exist_ok=True)
        work = folder / ".weights"
        save_model(model, str(work))
        os.replace(work, _weights(folder, place.stage - 1))
        _turn(folder, place)
    accelerator.wait_for_everyone()


def restore(model: nn.Module, folder: Path, stage: int) -> None:
    """Give a model the weights with which a stage ended."""
    load_model(model, str(_weights(folder, stage)))


def _weights(folder: Path, stage: int) -> Path:
    return folder / f"stage-{stage}.safetensors"


def _counting(folder: Path, place: Place) -> Iterator[str]:
    """The files that count at a place: weights of the stages before it, and its state."""
    yield from (_weights(folder, stage).name for stage in range(place.stage))
    if place.step:
        yield from (f"{place.state}/{name}" for name in names_in(folder / place.state))


def _turn(folder: Path, place: Place) -> None:
    """From now on `place` counts; states that no longer do are removed."""
    work = folder / f".{PLACE}"
    work.write_text(sealed(asdict(place), folder, list(_counting(folder, place))))
    os.replace(work, folder / PLACE)
    for state in folder.glob("state-*"):
        if state.name != place.state:
            shutil.rmtree(state)

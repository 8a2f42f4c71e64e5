"""Checkpoints of a training: written whole or not at all, the newest one kept."""

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from safetensors.torch import load_model, save_model
from torch import nn

from harness.nn.training.account import Account


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a training stands."""

    stage: int
    """Number of the stage, from 0."""
    step: int
    """Optimiser steps taken in it."""


NEWEST, OLDER = "newest", "older"


def save(accelerator: Accelerator, folder: Path, place: Place, account: Account) -> None:
    """Replace the checkpoint in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".checkpoint-", dir=folder))
    accelerator.save_state(str(work / "state"))
    (work / "place.json").write_text(json.dumps({"place": vars(place), "account": account.as_json()}))
    newest, older = folder / NEWEST, folder / OLDER
    shutil.rmtree(older, ignore_errors=True)
    if newest.exists():
        os.rename(newest, older)
    os.rename(work, newest)
    shutil.rmtree(older, ignore_errors=True)


def find(folder: Path) -> tuple[Path, Place, Account] | None:
    """The last complete checkpoint: its state, where it stands, and what was used."""
    for name in (NEWEST, OLDER):  # a kill between the two renames leaves only the older one
        if (folder / name / "place.json").exists():
            kept: dict[str, Any] = json.loads((folder / name / "place.json").read_text())
            return folder / name / "state", Place(**kept["place"]), Account(**kept["account"])
    return None


def keep(model: nn.Module, folder: Path, stage: int) -> None:
    """Keep the weights with which a stage ended."""
    work = folder / f".stage-{stage}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    save_model(model, str(work))
    os.replace(work, folder / f"stage-{stage}.safetensors")


def restore(model: nn.Module, folder: Path, stage: int) -> None:
    """Give a model the weights with which a stage ended."""
    load_model(model, str(folder / f"stage-{stage}.safetensors"))

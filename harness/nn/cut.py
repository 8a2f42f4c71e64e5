"""Part of a checkpoint: some of its layers, as a model folder of its own.

`minilm-l6[layers=0,2,5]` is the first, third and sixth layer of minilm-l6 with all that is around them. The weights are
copied, nothing is computed, and nothing heavy is imported.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import CheckpointError
from harness.home import home

PART = re.compile(r"(?P<base>.+)\[layers=(?P<layers>\d+(,\d+)*)\]")
"""How a part of a checkpoint is named."""
COUNTS = ("num_hidden_layers", "n_layers", "num_layers", "n_layer")
"""What configurations call the number of layers."""
LAYER = re.compile(r"(?P<before>(?:.*?\.)?(?:layers?|h|block)\.)(?P<number>\d+)(?P<after>\..+)")
"""The name of a parameter of a layer, the outermost where layers are made of layers."""


def part_of(name: str) -> tuple[str, tuple[int, ...] | None]:
    """The checkpoint that a name starts with, and the layers that are kept of it; None if all are."""
    if not (found := PART.fullmatch(name)):
        return name, None
    return found["base"], tuple(int(number) for number in found["layers"].split(","))


def cut(whole: Path, layers: tuple[int, ...], name: str, key: str) -> Path:
    """The folder of this part of a model, made unless it is there.

    Args:
        whole: the folder of the whole model.
        layers: which are kept, counted from 0, in ascending order.
        name: what the user calls it, for messages.
        key: names the content of the whole model and the layers.

    Raises:
        CheckpointError: layers that it doesn't have, or a model that isn't made of numbered layers.
    """
    place = home() / "parts" / key
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=place.parent))
    try:
        shutil.copytree(whole, work / "model", symlinks=False)
        _shorten(work / "model", layers, name)
        os.rename(work / "model", place)
    except OSError:  # somebody else was quicker: both made the same
        if not place.is_dir():
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return place


def _shorten(folder: Path, layers: tuple[int, ...], name: str) -> None:
    configs = [path for path in folder.rglob("config.json") if _count(_read(path, name))]
    if len(configs) != 1:
        raise CheckpointError(f"{name}: expected one configuration with a number of layers, got {len(configs)}")
    config = _read(configs[0], name)
    counted = _count(config)
    if sorted(set(layers)) != list(layers) or layers[-1] >= config[counted]:
        raise CheckpointError(
            f"{name}: expected ascending layers from 0 to {config[counted] - 1}, each once, got "
            f"{','.join(map(str, layers))}"
        )
    weights = configs[0].parent / "model.safetensors"
    if not weights.is_file():
        raise CheckpointError(f"{name}: expected model.safetensors beside config.json; a sharded model can't be cut")
    _keep(weights, {layer: place for place, layer in enumerate(layers)}, name)
    configs[0].write_text(json.dumps(config | {counted: len(layers)}, indent=2))


def _read(file: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{name}: {file.name}: expected JSON, got {error}; fetch the checkpoint again") from None
    return found if isinstance(found, dict) else {}


def _count(config: Mapping[str, Any]) -> str:
    """What this configuration calls the number of layers; empty if it has none."""
    return next((name for name in COUNTS if name in config), "")


def _keep(file: Path, places: Mapping[int, int], name: str) -> None:
    """Rewrite a file of weights with these layers only, at their new places."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        kept, metadata = _kept(file, places)
    except SafetensorError as error:
        raise CheckpointError(f"{name}: {file.name} can't be read: {error}; fetch the checkpoint again") from error
    save_file(kept, file, metadata)


def _kept(file: Path, places: Mapping[int, int]) -> tuple[dict[str, Any], Any]:
    from safetensors import safe_open

    kept: dict[str, Any] = {}
    with safe_open(file, "np") as weights:
        metadata = weights.metadata()
        for name in weights.keys():  # noqa: SIM118 - no mapping
            layer = LAYER.fullmatch(name)
            if layer is None:
                kept[name] = weights.get_tensor(name)
            elif int(layer["number"]) in places:
                kept[f"{layer['before']}{places[int(layer['number'])]}{layer['after']}"] = weights.get_tensor(name)
    return kept, metadata

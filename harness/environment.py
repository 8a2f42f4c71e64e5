"""What an evaluation runs in, as far as its results and costs depend on it; nothing that names a person or machine."""

import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness import hardware, plugins

PACKAGES = (
    "retrieval-harness",
    "numpy",
    "scipy",
    "pyarrow",
    "torch",
    "transformers",
    "tokenizers",
    "sentence-transformers",
    "accelerate",
    "safetensors",
    "datasets",
    "mteb",
    "beir",
    "ir-datasets",
    "ir-measures",
    "pytrec-eval-terrier",
    "bm25s",
    "PyStemmer",
    "faiss-cpu",
    "faiss-gpu",
    "numba",
    "openvino",
    "onnxruntime",
    "scikit-learn",
    "sqlalchemy",
    "ray",
    "submitit",
)
"""Those whose version can change a number."""


def describe() -> dict[str, Any]:
    """Python, system, processor, packages, plugins, CUDA and the harness's own commit, as JSON values."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": _system(),
        "processor": hardware.processor_name(),
        "cores": _cores(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS", ""),
        "memory_gib": round(hardware.memory_bytes() / 2**30, 1),
        "packages": _packages(),
        "plugins": _plugins(),
        **_cuda(),
        **_git(),
    }


def _cores() -> int:
    """Cores that this process may use; a batch system gives it some of the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _system() -> dict[str, str]:
    found = {"os": platform.system(), "kernel": platform.release(), "machine": platform.machine()}
    try:
        return found | {"distribution": platform.freedesktop_os_release()["PRETTY_NAME"]}
    except (OSError, KeyError):  # no Linux
        return found


@cache
def _packages() -> dict[str, str]:
    return {name: found for name in PACKAGES if (found := _version(name))}


@cache
def _plugins() -> dict[str, str]:
    return {source.distribution: source.version for source in plugins.scan()}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cuda() -> dict[str, Any]:
    """The driver, and the CUDA version that torch was built for if torch is in use."""
    torch = sys.modules.get("torch")
    found = {"driver": hardware.nvidia_driver(), "runtime": torch.version.cuda if torch else None}
    kept = {name: value for name, value in found.items() if value}
    return {"cuda": kept} if kept else {}


@cache
def _git() -> dict[str, Any]:
    """The commit that the harness runs from, and whether it was edited since, if it runs from a checkout of its own."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return {}
    git = "git", "--no-optional-locks", "-C", str(root)
    commit = hardware.output_of((*git, "rev-parse", "HEAD"))
    return (
        {"git": {"commit": commit, "edited": bool(hardware.output_of((*git, "status", "--porcelain")))}}
        if commit
        else {}
    )

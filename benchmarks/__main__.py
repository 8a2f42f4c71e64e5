"""Run benchmarks one after the other and keep what they find: `python -m benchmarks [NAME…]`.

What is run again on a processor of the same kind takes the place of what was there before; the rest of
benchmarks/results.json stays: some goals are of processors with bfloat16, and not every machine has one.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import torch

from benchmarks import report
from benchmarks.measure import RUNS, threads
from harness.hardware import processor_name

HERE = Path(__file__).parent
NAMES = (
    "encoding", "evaluation", "engine", "dense", "bm25", "sparse", "scoring", "significance", "training", "distillers",
    "startup",
)  # fmt: skip
PACKAGES = (
    "bm25s", "faiss-cpu", "ir-measures", "mteb", "numpy", "openvino", "pyseismic-lsr", "pytrec-eval-terrier", "ranx",
    "scipy", "sentence-transformers", "tantivy", "torch", "transformers",
)  # fmt: skip


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help=f"of {', '.join(NAMES)}")
    words.add_argument("--runs", type=int, default=RUNS, help="pairs of a row")
    asked = words.parse_args()
    results = json.loads(report.RESULTS.read_text()) if report.RESULTS.exists() else {"rows": [], "machines": []}
    failed: list[str] = []
    for name in asked.names:
        if not _run(name, asked.runs, results):
            failed.append(name)
        report.RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    report.write()
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _run(name: str, runs: int, results: dict[str, Any]) -> bool:
    """One benchmark in a process of its own; it takes the place of what was found on such a processor before."""
    print(f"— {name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = [sys.executable, "-m", f"benchmarks.{name}", "--runs", str(runs), "--to", str(file)]
        if subprocess.run(command, cwd=HERE.parent, check=False).returncode:
            return False
        found = json.loads(file.read_text())
    about = {"benchmark": name, "processor": processor_name(), "instructions": torch.backends.cpu.get_cpu_capability()}
    new = {
        "rows": [about | row for row in found["rows"]],
        "machines": [about | {"when": datetime.now(UTC).date().isoformat(), "skipped": found["skipped"]} | _machine()],
    }
    for part, made in new.items():
        kept = [one for one in results[part] if any(one[key] != value for key, value in about.items())]
        results[part] = sorted(kept + made, key=lambda one: NAMES.index(one["benchmark"]))
    return True


def _machine() -> dict[str, Any]:
    found = {package.name: package.version for package in distributions()}
    versions = {name: found[name] for name in PACKAGES if name in found}
    return {
        "threads": threads(),
        "python": platform.python_version(),
        "packages": versions,
    }


if __name__ == "__main__":
    main()

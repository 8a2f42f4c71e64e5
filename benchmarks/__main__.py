"""Run benchmarks one after the other and keep what they find: `python -m benchmarks [NAME…]`.

What is run again takes the place of what was there before; the rest of benchmarks/results.json stays.
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
    results = json.loads(report.RESULTS.read_text()) if report.RESULTS.exists() else {"rows": [], "benchmarks": {}}
    failed = [name for name in asked.names if not _run(name, asked.runs, results)]
    report.RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    report.write()
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _run(name: str, runs: int, results: dict[str, Any]) -> bool:
    """One benchmark in a process of its own; what it found takes the place of what it found before."""
    print(f"— {name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = [sys.executable, "-m", f"benchmarks.{name}", "--runs", str(runs), "--to", str(file)]
        if subprocess.run(command, cwd=HERE.parent, check=False).returncode:
            return False
        found = json.loads(file.read_text())
    kept = [row for row in results["rows"] if row["benchmark"] != name]
    new = [{"benchmark": name} | row for row in found["rows"]]
    results["rows"] = sorted(kept + new, key=lambda row: NAMES.index(row["benchmark"]))
    today = datetime.now(UTC).date().isoformat()
    results["benchmarks"][name] = {"when": today, "skipped": found["skipped"], "machine": _machine()}
    return True


def _machine() -> dict[str, Any]:
    found = {package.name: package.version for package in distributions()}
    versions = {name: found[name] for name in PACKAGES if name in found}
    return {
        "processor": processor_name(),
        "threads": threads(),
        "python": platform.python_version(),
        "packages": versions,
    }


if __name__ == "__main__":
    main()

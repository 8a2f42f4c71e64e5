"""`make fuzz-guided`: atheris at every border, one after the other, for so many seconds each.

python tests/fuzz/guided.py [SECONDS]

Needs `pip install atheris`. Prints how many inputs were tried; an input that fails is shown, and ends that border.
Writes docs/robustness-fuzz-guided.md if every border held.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from report import HERE, table

SECONDS = "60"
PAGE = HERE.parent.parent / "docs" / "robustness-fuzz-guided.md"
TEXT = """# Spoiled input, guided by coverage

Written by `make fuzz-guided`: as [robustness-fuzz.md](robustness-fuzz.md), with inputs that
[atheris](https://github.com/google/atheris) makes by which code of the harness they reach, {seconds} seconds at each
border.

{table}
"""


def borders() -> list[str]:
    """The tests of this folder that try a border, as pytest names them."""
    files = sorted(HERE.glob("test_*.py"))
    return [
        f"{file}::{name}" for file in files for name in re.findall(r"^def (test_\w+)\(fuzz", file.read_text(), re.M)
    ]


def main() -> int:
    """Try all borders."""
    seconds = sys.argv[1] if len(sys.argv) > 1 else SECONDS
    rows, failed = [], 0
    for border in borders():
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.jsonl"
            report.touch()
            environment = os.environ | {"HARNESS_FUZZ_SECONDS": seconds, "HARNESS_FUZZ_REPORT": str(report)}
            words = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", border]
            done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
            rows += [json.loads(line) for line in report.read_text().splitlines()[-1:]]
            if done.returncode:
                failed += 1
                print(border, (done.stdout + done.stderr).partition("=== Uncaught")[2][:3000] or done.stdout[-3000:])
    print(table(rows))
    if not failed:
        PAGE.write_text(TEXT.format(seconds=seconds, table=table(rows)), encoding="utf-8")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""`make fuzz`: tries many inputs at every border, prints how many by border, and writes docs/robustness-fuzz.md.

python tests/fuzz/report.py [EXAMPLES]
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "robustness-fuzz.md"
EXAMPLES = "2000"
TEXT = """# Spoiled input

Written by `make fuzz`; what is tried stands in [tests/fuzz](../tests/fuzz). A valid file is spoiled at any byte, line,
field or value, or made anew from parts that are nearly right. Each must give a right result, which is checked, or one
error of one line that says what is wrong; another exception, more than 20 seconds of the processor, or a store or home
that a refusal has changed, fails the run.

{table}
"""


def tried(examples: str) -> tuple[int, list[dict[str, int | str]]]:
    """Run the tests of this folder; pytest's exit status and the counts of every border that held."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.jsonl"
        report.touch()
        environment = os.environ | {"HARNESS_FUZZ_EXAMPLES": examples, "HARNESS_FUZZ_REPORT": str(report)}
        status = subprocess.call([sys.executable, "-m", "pytest", "-q", str(HERE)], env=environment)
        return status, [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]


def table(rows: Sequence[Mapping[str, int | str]]) -> str:
    """The counts in Markdown."""
    lines = ["| border | inputs | refused | accepted and right |", "|---|---|---|---|"]
    for row in rows:
        refused, accepted = int(row.get("refused", 0)), int(row.get("accepted", 0))
        lines.append(f"| {row['border']} | {refused + accepted:,} | {refused:,} | {accepted:,} |")
    return "\n".join(lines)


def main() -> int:
    """Try, print and, if every border held, write."""
    status, rows = tried(sys.argv[1] if len(sys.argv) > 1 else EXAMPLES)
    print(table(rows))
    if status == 0:
        PAGE.write_text(TEXT.format(table=table(rows)), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())

"""`make faults`: injects every fault many times, prints what came of it, and writes docs/robustness-faults.md.

python tests/faults/report.py [INJECTIONS [SEED]]
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "robustness-faults.md"
INJECTIONS = "20"
COLUMNS = ("injected", "survived", "lost", "wrong")
TEXT = """# Faults

Written by `make faults`; what is done stands in [tests/faults](../tests/faults). Each fault strikes a plan of 24
evaluations at a random moment: second stages, distilled students, two collections, three seeds. Then the same command
is run again, and the store is compared with that of a plan that nothing disturbed: every value of every query, every
file that an evaluation left.

- *survived*: all is there once, all is equal, nothing is left lying about, and `harness store check` finds nothing.
- *lost*: evaluations that are missing in the end. *wrong*: those that differ, or that nobody asked for.

{table}
{skipped}"""


def injected(injections: str, seed: str) -> tuple[int, str, list[dict[str, int | str]]]:
    """Run the tests of this folder; pytest's exit status, what it skipped, and the counts of every fault."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.jsonl"
        report.touch()
        environment = os.environ | {"HARNESS_FAULTS": injections, "HARNESS_FAULTS_SEED": seed}
        environment |= {"HARNESS_FAULTS_REPORT": str(report)}
        words = [sys.executable, "-m", "pytest", "-q", "-rs", "-n", "2", "--dist", "loadfile", str(HERE)]
        done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout)
        skipped = "".join(f"- {line}\n" for line in done.stdout.splitlines() if line.startswith("SKIPPED"))
        rows = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
        return done.returncode, skipped, sorted(rows, key=lambda row: row["fault"])


def table(rows: Sequence[Mapping[str, int | str]]) -> str:
    """The counts in Markdown."""
    lines = [f"| fault | {' | '.join(COLUMNS)} |", f"|---{'|---' * len(COLUMNS)}|"]
    lines += [f"| {row['fault']} | {' | '.join(f'{row[name]:,}' for name in COLUMNS)} |" for row in rows]
    return "\n".join(lines)


def main() -> int:
    """Inject, print and, unless something was lost or wrong, write."""
    status, skipped, rows = injected(*[*sys.argv[1:], *(INJECTIONS, "0")[len(sys.argv) - 1 :]])
    print(table(rows))
    if status == 0:
        PAGE.write_text(TEXT.format(table=table(rows), skipped=skipped and f"\n{skipped}"), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())

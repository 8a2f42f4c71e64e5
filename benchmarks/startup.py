"""How long the command line takes to answer with 100 plugins installed, beside `mteb --help` as the peer.

    python benchmarks/startup.py [REPEATS]

Wall and processor seconds, medians; other programs on the machine lengthen the first more than the second.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness.testing.installed import install

PLUGINS = 100
BUDGETS = {"harness --help": 0.3, "harness plugins list": 0.5}
PEER = "mteb --help"

SOURCE = '''"""A method like any other."""

from dataclasses import dataclass

from harness import Card, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options."""

    k1: float = knob(0.9, "saturation of term frequency", low=0)
    b: float = knob(0.4, "normalisation by length", low=0, high=1)
    model: str = knob("none", "checkpoint", checkpoint=True)


CARD = Card(name="{name}", kind="retriever", summary="A method.", method="{module}.method:Method", config=Config)


@hookimpl
def harness_retrievers() -> list[Card]:
    """The card."""
    return [CARD]
'''


def seconds(command: str, folder: Path, repeats: int) -> tuple[float, float]:
    program, *words = command.split()
    found = shutil.which(program, path=str(Path(sys.executable).parent)) or program
    env = os.environ | {"PYTHONPATH": str(folder), "HF_HUB_OFFLINE": "1", "MTEB_CACHE": str(folder)}
    walls, processors = [], []
    for _ in range(repeats + 1):
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([found, *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(time.perf_counter() - start)
        processors.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(walls[1:]), statistics.median(processors[1:])  # the first compiles to bytecode


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(PLUGINS):
            module = f"harness_method_{number}"
            install(folder, f"method-{number}", SOURCE.format(name=f"method-{number}", module=module))
        commands = [*BUDGETS] + ([PEER] if shutil.which("mteb", path=str(Path(sys.executable).parent)) else [])
        print(f"{PLUGINS} plugins, medians of {repeats}")
        for command in commands:
            wall, processor = seconds(command, folder, repeats)
            budget = f"  (budget {BUDGETS[command]} s)" if command in BUDGETS else ""
            print(f"{command:22} wall {wall:.3f} s, processor {processor:.3f} s{budget}")


if __name__ == "__main__":
    main()

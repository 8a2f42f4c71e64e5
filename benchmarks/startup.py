"""How long the command line takes to answer with 100 plugins installed, beside mteb's.

Each command is a process of its own, with its bytecode compiled before.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.measure import Row, Skipped, in_turn, main
from harness.testing.installed import install

PLUGINS = 100
GOALS = {"harness --help": 0.3, "harness plugins list": 0.5}
"""Seconds."""
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


def rows(runs: int) -> Iterator[Row]:
    programs = Path(sys.executable).parent
    if not (programs / "mteb").exists():
        raise Skipped("needs the command mteb beside python: pip install mteb")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _install(folder)
        env = os.environ | {"PYTHONPATH": str(folder), "HF_HUB_OFFLINE": "1", "MTEB_CACHE": str(folder)}
        listed = sum(line.startswith("method-") for line in _command(programs, "harness plugins list", env)().split())
        for words, goal in GOALS.items():
            yield Row(
                work=f"{words}, {PLUGINS} plugins more",
                peer_name=PEER,
                runs=in_turn(_command(programs, words, env), _command(programs, PEER, env), runs),
                goal=goal,
                goal_of="seconds",
                mode="",
                found={"listed by harness plugins list": listed},
                note="Wall seconds of the whole process, on a machine that others may use too.",
            )


def _install(folder: Path) -> None:
    for number in range(PLUGINS):
        module = f"harness_method_{number}"
        install(folder, f"method-{number}", SOURCE.format(name=f"method-{number}", module=module))


def _command(programs: Path, words: str, env: Mapping[str, str]) -> Callable[[], str]:
    """A program run to its end; what it prints."""
    program, *more = words.split()
    command = [str(programs / program), *more]
    return lambda: subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main(rows)

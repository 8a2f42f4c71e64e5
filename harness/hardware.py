"""What this machine is: its processor, its memory, its NVIDIA driver. No names of machines or people."""

import platform
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import psutil

SECONDS = 10
"""How long another program may take to answer."""


@cache
def processor_name() -> str:
    """The processor as its maker calls it, or else its architecture.

    With family and model where Linux tells them: in the cloud, processors of several generations have one name.
    """
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in reversed(lines))}
    if name := told.get("model name"):
        kind = [f"{word} {told[key]}" for word, key in (("family", "cpu family"), ("model", "model")) if key in told]
        return f"{name} ({', '.join(kind)})" if kind else name
    apple = "sysctl", "-n", "machdep.cpu.brand_string"
    return output_of(apple) or platform.processor() or platform.machine()


def memory_bytes() -> int:
    """Main memory."""
    return psutil.virtual_memory().total


@cache
def nvidia_driver() -> str:
    """Version of the NVIDIA driver; empty if there is none."""
    query = "nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"
    return next(iter(output_of(query).splitlines()), "")


def output_of(command: Sequence[str]) -> str:
    """What a program prints; empty if it is not installed, fails or hangs."""
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=SECONDS, check=True)
    except (subprocess.SubprocessError, OSError, UnicodeDecodeError):
        return ""
    return done.stdout.strip()

"""SIGKILL at random moments, over three stages with hooks, frozen parts, accumulation and extras: the same weights."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PATIENCE

pytest.importorskip("torch")

SCRIPT = Path(__file__).parent / "kills.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_random_moments_gives_the_same_weights(tmp_path):
    # Other moments each time: what fails here fails by the seed in the command.
    command = [sys.executable, str(SCRIPT), str(tmp_path), str(int.from_bytes(os.urandom(3), "big"))]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=PATIENCE, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["kills"] >= 3, command
    assert found["killed"] == found["whole"], command
    assert (found["whole"]["steps"], found["whole"]["examples"]) == (24, 8 * 4 * (1 + 2 + 2))
    names = {path.name for path in (tmp_path / "killed").iterdir()}
    assert names == {"place.json", *(f"stage-{number}.safetensors" for number in range(3))}

"""Two processes that share a training end with the weights of one that takes both their batches."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PATIENCE

pytest.importorskip("torch")

SCRIPT = Path(__file__).parent / "shared.py"


def started(folder: Path, batches: int, **distributed: str) -> subprocess.Popen:
    command = [sys.executable, str(SCRIPT), str(folder), str(batches)]
    env = os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"} | distributed
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def said(process: subprocess.Popen) -> dict:
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


def test_gradients_are_averaged_over_processes_each_step(tmp_path):
    alone = started(tmp_path / "alone", 2)
    port = free_port()
    shared = [
        started(
            tmp_path / "shared",
            1,
            RANK=str(rank),
            LOCAL_RANK=str(rank),
            WORLD_SIZE="2",
            MASTER_ADDR="127.0.0.1",
            MASTER_PORT=port,
        )
        for rank in (0, 1)
    ]
    whole, (first, second) = said(alone), [said(process) for process in shared]
    assert first["weights"] == second["weights"]
    assert first["weights"] == pytest.approx(whole["weights"], abs=1e-5)
    assert first["losses"] == pytest.approx(whole["losses"], abs=1e-5)
    assert (first["steps"], first["examples"]) == (whole["steps"], whole["examples"]) == (6, 96)
    assert whole["losses"][-1] < whole["losses"][0]

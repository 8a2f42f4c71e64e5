"""What is recorded of an evaluation's surroundings: versions, and nothing that names a person or a machine."""

import getpass
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from harness import environment, hardware
from harness.environment import describe


def test_says_what_numbers_depend_on():
    found = describe()
    assert found["python"].endswith(platform.python_version())
    assert found["packages"]["numpy"] == version("numpy")
    assert 1 <= found["cores"] <= os.cpu_count()
    assert found["memory_gib"] > 0.1
    assert found["processor"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert describe() == found, "two evaluations of one process share one row"


def test_names_nobody(monkeypatch):
    """In a process whose home, user and host have names that can be looked for."""
    text = json.dumps(describe())
    names = [str(Path.home()), getpass.getuser(), platform.node(), str(Path(environment.__file__).parent)]
    assert [name for name in names if name and len(name) > 4 and name in text] == []


def test_imports_nothing_heavy():
    code = (
        "import sys; from harness.environment import describe; describe(); print({'torch', 'numpy'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """The harness as if it ran from this folder."""
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "harness" / "environment.py"))
    environment._git.cache_clear()
    yield tmp_path
    environment._git.cache_clear()


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(["git", "-C", folder, *identity, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_commit_and_edits_of_a_checkout(checkout):
    assert environment._git() == {}
    git(checkout, "init", "-q")
    (checkout / "file").write_text("one")
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", "one")
    commit = git(checkout, "rev-parse", "HEAD")
    environment._git.cache_clear()
    assert environment._git() == {"git": {"commit": commit, "edited": False}}
    (checkout / "file").write_text("two")
    environment._git.cache_clear()
    assert environment._git() == {"git": {"commit": commit, "edited": True}}


def test_somebody_elses_checkout_is_not_ours(checkout, monkeypatch):
    """A virtual environment often lies inside the user's own repository."""
    git(checkout, "init", "-q")
    inside = checkout / ".venv" / "site-packages"
    inside.mkdir(parents=True)
    monkeypatch.setattr(environment, "__file__", str(inside / "harness" / "environment.py"))
    assert environment._git() == {}


def test_cuda_driver_and_runtime_where_they_are(monkeypatch):
    from types import SimpleNamespace

    monkeypatch.setattr(hardware, "nvidia_driver", lambda: "570.1")
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(version=SimpleNamespace(cuda="12.8")))
    assert describe()["cuda"] == {"driver": "570.1", "runtime": "12.8"}


def test_program_that_is_missing_fails_or_hangs_gives_nothing(monkeypatch):
    assert hardware.output_of(("no-such-program",)) == ""
    assert hardware.output_of((sys.executable, "-c", "import sys; print('half'); sys.exit(1)")) == ""
    assert hardware.output_of((sys.executable, "-S", "-c", "print(' 570.1 ')")) == "570.1"
    monkeypatch.setattr(hardware, "SECONDS", 0.2)
    assert hardware.output_of((sys.executable, "-c", "import time; time.sleep(60)")) == ""


def test_processors_of_one_name_are_told_apart(monkeypatch):
    told = "processor\t: {0}\ncpu family\t: 6\nmodel\t\t: 79\nmodel name\t: Intel(R) Xeon(R) CPU @ 2.20GHz\n"
    monkeypatch.setattr(hardware.Path, "read_text", lambda self: told.format(0) + "\n" + told.format(1))
    assert hardware.processor_name.__wrapped__() == "Intel(R) Xeon(R) CPU @ 2.20GHz (family 6, model 79)"
    monkeypatch.setattr(hardware.Path, "read_text", lambda self: "model name\t: A processor\n")
    assert hardware.processor_name.__wrapped__() == "A processor"

"""A virtual environment of its own for a method whose dependencies don't go together with ours.

The method's card is read here, where its distribution is installed without its dependencies (`pip install --no-deps`).
Its environment gets the same harness, the distributions of the method, of what is nested in it and of the task, and
whatever they need; `harness run` there does the work, over the same contracts, into the same store.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Sequence
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

from harness.config import digest, uses
from harness.errors import HarnessError, PluginNotFound
from harness.home import home
from harness.plugins import Registry
from harness.runner.plan import Work

ISOLATED = "HARNESS_ISOLATED"
"""Environment variable that says so to the harness inside, which records it in the evaluation's command."""
READY = "ready"
"""A file in an environment that is whole."""
KEPT_OUT = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Environment variables that would let packages of ours in."""


def run(registry: Registry, works: Sequence[Work], words: Sequence[str], store: str | None) -> int:
    """Run a command of the harness in an environment that has what these works need; its exit status.

    Args:
        registry: where plugins are found.
        works: what the command does.
        words: the command, without `harness`.
        store: URL of the store.

    Raises:
        HarnessError: the environment can't be made; with what pip said.
    """
    python = environment(needed(registry, works, postgresql=bool(store and store.startswith("postgresql"))))
    variables = {key: value for key, value in os.environ.items() if key not in KEPT_OUT} | {ISOLATED: "1"}
    if store:
        variables["HARNESS_STORE"] = store  # it may hold a password, and `ps` shows words
    done = subprocess.run([str(python), "-P", "-m", "harness.cli.main", *words], env=variables, check=False)
    return done.returncode


def needed(registry: Registry, works: Iterable[Work], *, postgresql: bool = False) -> list[str]:
    """What pip is asked for: the harness, and the distributions of everything that the works use, as they are here."""
    extras = "[postgresql]" if postgresql else ""
    names: set[str] = set()
    for work in works:
        for part in [part for chosen in work.method.uses for part in uses(chosen)]:
            names.add(registry.find(part.name, part.kind)[1].distribution)
        names.update(_provider(registry, task) for task in (work.task, *work.method.train_on))
    return [as_here("retrieval-harness", extras), *map(as_here, sorted(names - {""}))]


def _provider(registry: Registry, task: str) -> str:
    """The distribution that provides a task; empty where it is a folder of the user's."""
    try:
        return registry.find(task.partition(":")[0], "task")[1].distribution
    except PluginNotFound:
        return ""


def as_here(name: str, extras: str = "") -> str:
    """What pip installs to have the distribution that is installed here: its folder, address, or version."""
    found = distribution(name)
    direct = found.read_text("direct_url.json")
    if direct is None:
        return f"{name}{extras}=={found.version}"
    note = json.loads(direct)
    if "dir_info" in note:
        path = url2pathname(urlparse(note["url"]).path)
        return f"{'-e ' if note['dir_info'].get('editable') else ''}{path}{extras}"
    if "vcs_info" in note:
        return f"{name}{extras} @ {note['vcs_info']['vcs']}+{note['url']}@{note['vcs_info']['commit_id']}"
    return f"{name}{extras} @ {note['url']}"


def environment(requirements: Sequence[str]) -> Path:
    """The Python of an environment that has these; made at the first call, then kept in `$HARNESS_HOME/environments`.

    Raises:
        HarnessError: pip refuses; with its last words.
    """
    root = home() / "environments"
    root.mkdir(exist_ok=True)
    folder = root / digest({"python": sys.version, "requirements": list(requirements)})
    with (root / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two commands don't make one environment at the same time
        if not (folder / READY).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, requirements)
            (folder / READY).touch()
    return folder / "bin" / "python"


def _make(folder: Path, requirements: Sequence[str]) -> None:
    venv.create(folder, with_pip=True)
    words = [word for requirement in requirements for word in _words(requirement)]
    command = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-q", *words]
    variables = {key: value for key, value in os.environ.items() if key not in KEPT_OUT}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise HarnessError(
            f"no environment could be made of {', '.join(requirements)}: {' '.join(said[-3:])}; "
            "see that they go together, and that pip reaches its index"
        )


def _words(requirement: str) -> list[str]:
    return ["-e", requirement.removeprefix("-e ")] if requirement.startswith("-e ") else [requirement]

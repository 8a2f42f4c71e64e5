"""A folder of plugins laid out as installed, and the command line in a process that finds them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.testing.installed import install
from tests.conftest import PATIENCE

PLUGIN = '''"""A toy."""

from dataclasses import dataclass

from harness import Card, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options."""

    k1: float = knob(0.9, "saturation of term frequency", paper=1.2, low=0)


CARD = Card(name="{name}", kind="retriever", summary="Toy {name}.", method="{module}.method:Method", config=Config)


@hookimpl
def harness_retrievers():
    """The card."""
    return [CARD]
'''


class Site:
    """Stands for site-packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def add(self, name: str, source: str | None = None, **more: str) -> None:
        """Install a plugin; without a source, one that works."""
        module = more.get("module", f"harness_{name.replace('-', '_')}")
        install(self.folder, name, source or PLUGIN.format(name=name, module=module), **more)

    def harness(self, *words: str, status: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command; the exit status must be this."""
        env = os.environ | {"PYTHONPATH": str(self.folder), **variables}
        command = [sys.executable, "-m", "harness.cli.main", *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == status, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def rows(self, *words: str) -> dict[tuple[str, str], dict[str, str]]:
        """What `plugins list` says of the plugins in this folder, by name and distribution."""
        rows = json.loads(self.harness("plugins", "list", "--format", "json", *words).stdout)
        ours = {path.name.split("-")[0].replace("_", "-") for path in self.folder.glob("*.dist-info")}
        return {(row["name"], row["distribution"]): row for row in rows if row["distribution"] in ours}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty folder of plugins."""
    return Site(tmp_path / "site")

"""Every folder of plugins/ is made alike: one name, four files, and nothing else beside the package and its tests."""

import tomllib
from pathlib import Path

import pytest

from harness.plugins import registry

FOLDERS = sorted(path for path in (Path(__file__).parent.parent / "plugins").iterdir() if path.is_dir())


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_one_name(folder):
    name, package = folder.name.replace("_", "-"), f"harness_{folder.name}"
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == f"harness-{name}"
    assert project["entry-points"] == {"harness": {name: package}}
    plugin = registry().plugin(name)
    assert plugin is not None, f"{name} is not installed"
    assert plugin.source.distribution == f"harness-{name}"
    assert name in [card.name for card in plugin.cards]
    assert all(card.method.startswith(f"{package}.") for card in plugin.cards)


def test_four_files_and_nothing_else(folder):
    package, tests = folder / f"harness_{folder.name}", folder / "tests"
    for file in (package / "__init__.py", package / "method.py", tests / f"test_{folder.name}.py"):
        assert file.is_file()
    beside = {path.name for path in folder.iterdir()} - {"__pycache__"}
    assert beside == {"pyproject.toml", package.name, tests.name}


def test_dependencies_have_no_pins(folder):
    dependencies = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["dependencies"]
    assert any(dependency.startswith("retrieval-harness") for dependency in dependencies)
    assert not [dependency for dependency in dependencies if "==" in dependency or "<" in dependency]

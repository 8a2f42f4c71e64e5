"""A room imports only rooms below it; the harness imports no plugin; plugins import no other plugin."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

ROOMS = (
    *("errors", "card", "records", "contracts", "hookspecs", "home", "hardware", "ahead", "seal"),
    *("scoring", "statistics", "data", "store", "devices"),
    *("index", "text", "signals", "nn"),
    *("plugins", "environment", "config", "describe", "build", "tasks", "suites"),
    *("adapters", "runner", "testing", "cli"),
)
"""Lowest first."""


def imports(source: str) -> Iterator[str]:
    """Every module that is imported anywhere in this source, at its top or inside a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide what is imported"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def upward(room: str, source: str) -> list[str]:
    """What a file of this room imports and must not."""
    below = ROOMS[: ROOMS.index(room) + 1]
    wrong: list[str] = []
    for name in imports(source):
        package, *rest = name.split(".")
        ours = package == "harness" and rest and rest[0] not in below
        if ours or package.startswith("harness_") or name == "harness":
            wrong.append(name)
    return wrong


def foreign(package: str, source: str) -> list[str]:
    """Other plugins that a file of this plugin imports."""
    tops = {name.split(".")[0] for name in imports(source)}
    return sorted(top for top in tops if top.startswith("harness_") and top != package)


def test_every_room_has_its_place():
    rooms = {
        path.stem for path in (ROOT / "harness").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - {"__init__"} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_rooms_below(room):
    place = ROOT / "harness" / room
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    assert {str(file): wrong for file in files if (wrong := upward(room, file.read_text()))} == {}


def packages() -> list[Path]:
    """The packages of all plugins in this repository."""
    return sorted(
        [*ROOT.glob("plugins/*/harness_*"), *ROOT.glob("tasks/harness_*"), *ROOT.glob("leaderboard/harness_*")]
    )


@pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)
def test_plugin_imports_no_other_plugin(package):
    found = {str(file): foreign(package.name, file.read_text()) for file in package.rglob("*.py")}
    assert {file: names for file, names in found.items() if names} == {}


def test_planted_imports_are_seen():
    assert upward("scoring", "import numpy\nfrom harness.records import Run\nfrom harness.scoring import order") == []
    assert upward("scoring", "def f():\n    from harness.store import open_store") == ["harness.store.open_store"]
    assert upward("scoring", "from harness import data") == ["harness.data"]
    assert upward("cli", "import harness_bm25") == ["harness_bm25"]
    assert foreign("harness_a", "import harness_a.method, harness.records\nfrom harness_b import Config") == [
        "harness_b"
    ]
